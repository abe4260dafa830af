#include "core/training/evaluation_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/base/wav.h"
#include "core/features/feature_extractor.h"
#include "core/training/checkpoint.h"
#include "core/training/feature_comparison.h"
#include "core/training/metrics_log.h"
#include "core/training/model_data.h"
#include "core/training/seed.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;

// A model with a checkpoint's weights, and what it is shown.
class ModelView {
 public:
  static absl::StatusOr<std::unique_ptr<ModelView>> Open(const TrainModelOptions& run) {
    ASSIGN_OR_RETURN(const gin::Config config, OperativeConfig(run));
    ASSIGN_OR_RETURN(std::unique_ptr<TrainableModel> model, MakeModel(run, config));
    ASSIGN_OR_RETURN(const int64_t batch_size, BatchSizeOf(config));
    ASSIGN_OR_RETURN(std::unique_ptr<ModelData> examples, OpenModelData(run.dataset, DataPart::kHeldOut));
    return std::unique_ptr<ModelView>(new ModelView(std::move(model), std::move(examples), batch_size, run.seed));
  }

  absl::Status Load(const std::string& path) {
    ParameterShapeMap shapes;
    for (const auto& [name, value] : step_.weights()) shapes[name] = value.sizes().vec();
    ASSIGN_OR_RETURN(const Checkpoint checkpoint, ReadCheckpoint(path, shapes));
    const at::NoGradGuard no_gradients;
    for (const auto& [name, view] : step_.weights()) view.copy_(checkpoint.weights.at(name));
    loaded_step_ = checkpoint.step;
    return absl::OkStatus();
  }

  int64_t step() const { return loaded_step_; }
  int64_t batches() const { return std::max<int64_t>(1, examples_->size() / batch_size_); }
  double sample_rate() const { return examples_->sample_rate(); }
  std::string audio_output() const { return model_->AudioOutput(); }

  struct Shown {
    NamedTensors features;
    ModelOutputs outputs;
  };
  absl::StatusOr<Shown> Show(int64_t batch) const {
    const int64_t begin = batch * batch_size_, end = std::min(begin + batch_size_, examples_->size());
    std::vector<int64_t> indices(end - begin);
    std::iota(indices.begin(), indices.end(), begin);
    Shown shown;
    ASSIGN_OR_RETURN(shown.features, examples_->Batch(indices));
    ModelContext context;
    context.generator = at::detail::createCPUGenerator(DeriveSeed(seed_, "evaluation noise", batch));
    const at::NoGradGuard no_gradients;
    ASSIGN_OR_RETURN(shown.outputs, model_->Run(shown.features, context));
    return shown;
  }

 private:
  ModelView(std::unique_ptr<TrainableModel> model, std::unique_ptr<ModelData> examples, int64_t batch_size, uint64_t seed)
      : model_(std::move(model)),
        examples_(std::move(examples)),
        batch_size_(batch_size),
        seed_(seed),
        step_({}, model_.get()) {}

  const std::unique_ptr<TrainableModel> model_;
  const std::unique_ptr<ModelData> examples_;
  const int64_t batch_size_;
  const uint64_t seed_;
  ModelStep step_;  // holds the weights
  int64_t loaded_step_ = 0;
};

// The model's audio of a batch, [batch][samples]; empty where it makes none.
std::vector<std::vector<float>> AudioOf(const at::Tensor& audio) {
  std::vector<std::vector<float>> sounds;
  const at::Tensor rows = audio.reshape({audio.size(0), -1}).to(at::kFloat).contiguous();
  for (int64_t i = 0; i < rows.size(0); ++i) {
    const float* row = rows[i].data_ptr<float>();
    sounds.emplace_back(row, row + rows.size(1));
  }
  return sounds;
}

std::vector<std::vector<float>> MadeAudio(const ModelView& view, const ModelView::Shown& shown) {
  const auto found = shown.outputs.outputs.find(view.audio_output());
  if (found == shown.outputs.outputs.end()) return {};
  return AudioOf(found->second);
}

void Compare(const std::vector<std::vector<float>>& originals, const std::vector<std::vector<float>>& made,
             const FeatureExtractor& extractor, FeatureComparison* comparison) {
  for (size_t i = 0; i < std::min(originals.size(), made.size()); ++i) {
    comparison->Add(extractor.Extract(originals[i]), extractor.Extract(made[i]));
  }
}

absl::StatusOr<Scalars> Measure(const ModelView& view, int64_t batches) {
  ASSIGN_OR_RETURN(const std::unique_ptr<FeatureExtractor> extractor, FeatureExtractor::Create({}));
  std::map<std::string, double> losses;
  FeatureComparison comparison;
  bool heard = false;
  const int64_t count = std::min(batches, view.batches());
  for (int64_t batch = 0; batch < count; ++batch) {
    ASSIGN_OR_RETURN(const ModelView::Shown shown, view.Show(batch));
    for (const auto& [name, loss] : shown.outputs.losses) losses["losses/" + name] += loss.item<double>();
    const at::Tensor total = shown.outputs.TotalLoss();
    if (total.defined()) losses["losses/total_loss"] += total.item<double>();
    const auto original = shown.features.find("audio");
    const std::vector<std::vector<float>> made = MadeAudio(view, shown);
    if (original == shown.features.end() || made.empty() || view.sample_rate() != 16000) continue;
    Compare(AudioOf(original->second), made, *extractor, &comparison);
    heard = true;
  }
  Scalars scalars(losses.begin(), losses.end());
  for (auto& [name, sum] : scalars) sum /= static_cast<double>(count);
  if (!heard) return scalars;
  const FeatureDistances distances = comparison.Result();
  scalars.insert(scalars.end(), {{"metrics/loudness_l1_db", distances.loudness_l1_db},
                                 {"metrics/f0_l1_semitones", distances.f0_l1_semitones},
                                 {"metrics/f0_outliers", distances.f0_outliers},
                                 {"metrics/raw_pitch_accuracy", distances.raw_pitch_accuracy},
                                 {"metrics/raw_chroma_accuracy", distances.raw_chroma_accuracy}});
  return scalars;
}

absl::Status Play(const ModelView& view, const std::string& out, int64_t examples, MetricsLog& log) {
  const std::string folder = absl::StrFormat("%s/samples/step-%09d", out, view.step());
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return absl::InternalError(absl::StrCat(folder, ": ", error.message()));
  const int rate = static_cast<int>(view.sample_rate() > 0 ? view.sample_rate() : 16000);
  int64_t played = 0;
  for (int64_t batch = 0; batch < view.batches() && played < examples; ++batch) {
    ASSIGN_OR_RETURN(const ModelView::Shown shown, view.Show(batch));
    const std::vector<std::vector<float>> made = MadeAudio(view, shown);
    if (made.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("the model makes no audio: it has no output '", view.audio_output(), "'"));
    }
    const auto original = shown.features.find("audio");
    const std::vector<std::vector<float>> originals =
        original == shown.features.end() ? std::vector<std::vector<float>>() : AudioOf(original->second);
    for (size_t i = 0; i < made.size() && played < examples; ++i, ++played) {
      const std::string stem = absl::StrCat(folder, "/", played), tag = absl::StrCat("example-", played);
      RETURN_IF_ERROR(WriteWav(stem + "-rendered.wav", {rate, 1, made[i]}));
      RETURN_IF_ERROR(log.AddAudio(view.step(), tag + "/rendered", rate, made[i]));
      if (i >= originals.size()) continue;
      RETURN_IF_ERROR(WriteWav(stem + "-original.wav", {rate, 1, originals[i]}));
      RETURN_IF_ERROR(log.AddAudio(view.step(), tag + "/original", rate, originals[i]));
    }
  }
  return absl::OkStatus();
}

absl::Status View(const TrainModelOptions& run, const ModelViewOptions& options, const std::string& log_name,
                  const std::function<absl::Status(const ModelView&, MetricsLog&)>& visit) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ModelView> view, ModelView::Open(run));
  std::unique_ptr<MetricsLog> log;
  return WatchCheckpoints(run.out + "/checkpoints", options.watch, [&](const std::string& path) {
    RETURN_IF_ERROR(view->Load(path));
    if (log == nullptr) {
      ASSIGN_OR_RETURN(log, MetricsLog::Open(absl::StrCat(run.out, "/", log_name), view->step() - 1));
    }
    return visit(*view, *log);
  });
}

}  // namespace

absl::Status EvaluateModel(const TrainModelOptions& run, const ModelViewOptions& options) {
  return View(run, options, "eval", [&](const ModelView& view, MetricsLog& log) -> absl::Status {
    ASSIGN_OR_RETURN(const Scalars scalars, Measure(view, options.batches));
    log.Add(view.step(), scalars);
    std::string line = absl::StrCat("step ", view.step(), ":");
    for (const auto& [name, value] : scalars) absl::StrAppendFormat(&line, " %s %.4g", name, value);
    if (options.say) options.say(line);
    return absl::OkStatus();
  });
}

absl::Status SampleModel(const TrainModelOptions& run, const ModelViewOptions& options) {
  return View(run, options, "sample", [&](const ModelView& view, MetricsLog& log) -> absl::Status {
    RETURN_IF_ERROR(Play(view, run.out, options.examples, log));
    if (options.say) options.say(absl::StrFormat("wrote %s/samples/step-%09d", run.out, view.step()));
    return absl::OkStatus();
  });
}

}  // namespace ddsp::training
