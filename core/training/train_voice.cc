#include "core/training/train_voice.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/file.h"
#include "core/base/safetensors.h"
#include "core/base/status_macros.h"
#include "core/streaming/voice_loader.h"
#include "core/training/checkpoint.h"
#include "core/training/dataset_material.h"
#include "core/training/metrics_log.h"
#include "core/training/model_card.h"
#include "core/training/seed.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;

// Worker 0 reads before the others, who find what it leaves in a directory that they share.
absl::StatusOr<TrainingMaterial> ReadAndJoin(const TrainVoiceOptions& options, const TrainVoiceEvents& events,
                                             std::unique_ptr<WorkerGroup>* group) {
  const auto read = [&] { return ReadMaterial(options.material(), {events.say, events.reading}); };
  JoinOptions join = options.join;
  if (join.workers == 1) return read();
  absl::StatusOr<TrainingMaterial> material;
  if (join.rank == 0) {
    ASSIGN_OR_RETURN(material, read());
  } else {
    join.prepare = [&](int) {
      material = read();
      return material.status();
    };
  }
  ASSIGN_OR_RETURN(*group, JoinWorkers(join));
  return material;
}

// Held-out windows without overlap.
TrainingBatch HeldOutBatch(const TrainingMaterial& material, const VoiceShape& shape) {
  WindowOptions options = WindowsOf(material.training);
  options.hop_samples = options.window_samples;
  options.chunk_samples = 0;
  options.min_sounding = 0;
  return MakeBatch(shape, material.held_out_dataset(),
                   ListWindows(material.held_out_dataset(), material.held_out_segments, options).windows);
}

std::vector<float> GoldenInput(const TrainingMaterial& material) {
  const Segment from = FirstHeldOutSound(material, kGoldenSeconds);
  std::vector<float> input(from.end - from.begin);
  CopyAudio(material.held_out_dataset(), from, input.data());
  return input;
}

// Makes the listening examples of a run.
class ExampleMaker {
 public:
  ExampleMaker(const TrainVoiceOptions& options, const TrainingMaterial& material, const MaterialProfile& profile)
      : options_(options),
        material_(material),
        profile_(profile),
        segment_(FirstHeldOutSound(material, options.example_seconds)) {}

  absl::StatusOr<ListeningExample> Make(const TrainStep& model) const {
    const Dataset& dataset = material_.held_out_dataset();
    // A voice needs a golden input; a tenth of a second is one.
    std::vector<float> golden(dataset.sample_rate / 10);
    ASSIGN_OR_RETURN(Voice voice, MakeVoice(options_.trainer.step.shape, model.weights(), dataset.settings, profile_,
                                            options_.exporting, std::move(golden)));
    ListeningExample example;
    example.step = model.step();
    example.name = dataset.recordings[segment_.recording].name;
    example.sample_rate = dataset.sample_rate;
    example.begin_s = static_cast<double>(segment_.begin) / example.sample_rate;
    example.original.resize(segment_.end - segment_.begin);
    CopyAudio(dataset, segment_, example.original.data());
    ASSIGN_OR_RETURN(example.rendered, PlayBack(std::make_shared<const Voice>(std::move(voice)), dataset, segment_));
    return example;
  }

 private:
  const TrainVoiceOptions& options_;
  const TrainingMaterial& material_;
  const MaterialProfile& profile_;
  const Segment segment_;
};

// Decides when a run has learned enough.
class EarlyStop {
 public:
  // `resumed`: where the run stands, interrupted before or not.
  EarlyStop(const TrainVoiceOptions& options, const TrainingProgress& resumed)
      : loss_(options.early_stop_loss),
        patience_(options.patience),
        smoothed_from_(resumed.loss > 0 ? 0 : resumed.step) {
    // What the run heard before it was interrupted.
    for (const auto& [step, loss] : ReadMetric(options.trainer.directory + "/logs", "held_out/spectral_loss")) {
      if (step <= resumed.step) Hear(step, loss);
    }
  }

  // Takes a held-out loss; whether it is the best so far.
  bool Hear(int64_t step, double loss) {
    heard_step_ = step;
    const bool better = best_ == 0 || loss < best_;
    worse_ = better ? 0 : worse_ + 1;
    if (better) best_ = loss;
    return better;
  }
  bool heard(int64_t step) const { return step <= heard_step_; }

  // Before the last step, that is: a run that reaches it exports what it has.
  bool Enough(const TrainingProgress& progress) const {
    if (progress.step == 0 || progress.step >= progress.steps) return false;
    if (patience_ > 0 && worse_ >= patience_) return true;
    // A mean over steps needs some to be one.
    return loss_ > 0 && progress.loss <= loss_ && progress.step >= smoothed_from_ + kSettled;
  }

 private:
  static constexpr int64_t kSettled = 20;  // steps
  const double loss_;
  const int64_t patience_, smoothed_from_;
  double best_ = 0;
  int64_t worse_ = 0, heard_step_ = 0;
};

std::string BestFolder(const TrainVoiceOptions& options) { return options.trainer.directory + "/best"; }

// Runs the trainer, and does what is due between its steps.
class Conductor {
 public:
  Conductor(Trainer& trainer, const TrainVoiceOptions& options, const TrainVoiceEvents& events,
            const ExampleMaker& examples)
      : trainer_(trainer),
        options_(options),
        events_(events),
        examples_(examples),
        enough_(options, trainer.progress()) {}

  // Steps until the run is over, has learned enough, or an event says stop or fails.
  absl::Status Run() {
    // A run that lacks nothing but its voice must not learn on.
    early_ = enough_.Enough(trainer_.progress());
    if (early_) return absl::OkStatus();
    absl::Status failure;
    const absl::Status run = trainer_.Run([&](const TrainingProgress& progress) {
      failure = Between(progress);
      if (!failure.ok()) return TrainerVerdict::kStop;
      const TrainerVerdict verdict = events_.step ? events_.step(progress) : TrainerVerdict::kContinue;
      early_ = verdict == TrainerVerdict::kContinue && enough_.Enough(progress);
      return early_ ? TrainerVerdict::kStop : verdict;
    });
    return failure.ok() ? run : failure;
  }

  bool early() const { return early_; }

 private:
  absl::Status Between(const TrainingProgress& progress) {
    if (options_.join.rank != 0) return absl::OkStatus();
    const TrainerOptions& trainer = options_.trainer;
    const bool heard = trainer.held_out_steps > 0 && progress.step % trainer.held_out_steps == 0;
    if (options_.patience > 0 && heard && progress.held_out_loss > 0 && !enough_.heard(progress.step) &&
        enough_.Hear(progress.step, progress.held_out_loss)) {
      const TrainStep& model = trainer_.model();
      RETURN_IF_ERROR(WriteCheckpoint(BestFolder(options_),
                                      {model.step(), trainer.seed, trainer.Describe(), model.weights(),
                                       model.first_moments(), model.second_moments()},
                                      /*keep=*/1));
    }
    const bool due =
        options_.example_steps > 0 && (progress.step % options_.example_steps == 0 || progress.step == progress.steps);
    return due ? Listen() : absl::OkStatus();
  }

  absl::Status Listen() {
    ASSIGN_OR_RETURN(const ListeningExample example, examples_.Make(trainer_.model()));
    if (log_ == nullptr) {
      // In a folder of its own, since TensorBoard reads one event file of a folder at a time.
      ASSIGN_OR_RETURN(log_, MetricsLog::Open(options_.trainer.directory + "/logs/examples", example.step));
      RETURN_IF_ERROR(log_->AddAudio(example.step, "original", example.sample_rate, example.original));
    }
    RETURN_IF_ERROR(log_->AddAudio(example.step, "rendered", example.sample_rate, example.rendered));
    return events_.example ? events_.example(example) : absl::OkStatus();
  }

  Trainer& trainer_;
  const TrainVoiceOptions& options_;
  const TrainVoiceEvents& events_;
  const ExampleMaker& examples_;
  EarlyStop enough_;
  std::unique_ptr<MetricsLog> log_;
  bool early_ = false;
};

// What can be said of a step that failed: its examples, and where to go on from.
absl::Status Explain(const absl::Status& error, Trainer& trainer, const TrainVoiceOptions& options,
                     const Dataset& dataset) {
  const std::vector<Segment> windows = trainer.NextWindows();
  std::vector<std::string> examples;
  for (const Segment& window : windows) {
    examples.push_back(absl::StrFormat("%s at %.2f s", dataset.recordings[window.recording].name,
                                       static_cast<double>(window.begin) / dataset.sample_rate));
  }
  const TrainingBatch batch = trainer.NextBatch();
  SafetensorsWriter writer;
  for (const auto& [name, values] : std::map<std::string, at::Tensor>{
           {"audio", batch.audio}, {"level_db", batch.controls.level_db}, {"f0_hz", batch.controls.f0_hz}}) {
    writer.AddFloats(name, values.sizes().vec(), values.data_ptr<float>());
  }
  const std::string path = options.trainer.directory + "/bad-batch.safetensors";
  const absl::Status written = writer.Write(path);
  const std::string checkpoint = LatestCheckpoint(options.trainer.directory + "/checkpoints");
  return absl::InternalError(absl::StrCat(
      error.message(), "; its batch, ", written.ok() ? absl::StrCat("written to ", path) : written.message(), ", is ",
      absl::StrJoin(examples, ", "), "; ",
      checkpoint.empty() ? "there is no checkpoint yet" : absl::StrCat("the last good checkpoint is ", checkpoint)));
}

absl::Status StartOver(const std::string& directory) {
  std::error_code error;
  fs::remove_all(directory + "/checkpoints", error);
  fs::remove_all(directory + "/logs", error);
  fs::remove_all(directory + "/best", error);
  if (error) return absl::InternalError(absl::StrCat(directory, ": ", error.message()));
  return absl::OkStatus();
}

// The evaluation and what there is to say of the recordings.
std::string FormatReport(const TrainVoiceResult& result) {
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(result.evaluation.ToJson());
  const auto add = [&](const char* key, const std::vector<RecordingRemark>& remarks) {
    json[key] = nlohmann::ordered_json::array();
    for (const RecordingRemark& remark : remarks) json[key].push_back({{"name", remark.name}, {"text", remark.text}});
  };
  add("skipped", result.skipped);
  add("warnings", result.warnings);
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

absl::Status WriteReports(const TrainVoiceOptions& options, const TrainingMaterial& material, const Voice& voice,
                          const TrainVoiceResult& result) {
  ModelCard card;
  const std::string logs = options.trainer.directory + "/logs";
  card.command = options.command;
  card.data = DescribeData(material.training);
  card.held_out = options.held_out.empty() ? absl::StrFormat("%.1f s of the same recordings", result.evaluation.seconds)
                                           : DescribeData(material.held_out);
  card.options = options.trainer.Describe();
  card.training_seconds = result.training_seconds;
  card.steps = result.step;
  card.seconds_per_step = result.training_seconds / static_cast<double>(std::max<int64_t>(1, result.step));
  card.loss_curve = ReadMetric(logs, "losses/total_loss");
  card.held_out_curve = ReadMetric(logs, "held_out/spectral_loss");
  card.evaluation = result.evaluation;
  RETURN_IF_ERROR(WriteFileAtomically(options.trainer.directory + "/report.json", FormatReport(result)));
  return WriteFileAtomically(options.bundle + ".md", FormatModelCard(voice, card));
}

// Seconds that the steps took, over all starts of the run.
double TrainingSeconds(const TrainerOptions& options) {
  double seconds = 0;
  for (const auto& [step, value] : ReadMetric(options.directory + "/logs", "seconds_per_step")) {
    seconds += value * static_cast<double>(options.log_steps);
  }
  return seconds;
}

}  // namespace

absl::StatusOr<TrainVoiceResult> TrainVoice(const TrainVoiceOptions& options, const TrainVoiceEvents& events) {
  const auto say = [&](const std::string& line) {
    if (events.say) events.say(line);
  };
  const bool first = options.join.rank == 0;
  if (first && fs::exists(options.bundle)) {
    return absl::AlreadyExistsError(absl::StrCat(options.bundle, ": a voice is there already; give another version"));
  }
  std::unique_ptr<WorkerGroup> group;
  ASSIGN_OR_RETURN(const TrainingMaterial material, ReadAndJoin(options, events, &group));
  ASSIGN_OR_RETURN(const MaterialProfile profile, MeasureMaterial(material.training));
  const VoiceShape& shape = options.trainer.step.shape;
  const TrainingBatch held_out = HeldOutBatch(material, shape);
  if (options.start_over && first) RETURN_IF_ERROR(StartOver(options.trainer.directory));
  TrainerOptions run = options.trainer;
  run.saved = events.checkpoint;
  run.group = group.get();
  ASSIGN_OR_RETURN(const std::unique_ptr<Trainer> trainer,
                   Trainer::Create(run, material.training, material.training_windows, held_out));
  if (trainer->model().step() > 0) say(absl::StrCat("going on from step ", trainer->model().step()));
  const ExampleMaker examples(options, material, profile);
  Conductor conductor(*trainer, options, events, examples);
  const absl::Status steps = conductor.Run();
  if (absl::IsInternal(steps)) return Explain(steps, *trainer, options, material.training);
  RETURN_IF_ERROR(steps);
  TrainVoiceResult result;
  for (const Dataset* dataset : {&material.training, &material.held_out}) {
    result.skipped.insert(result.skipped.end(), dataset->skipped.begin(), dataset->skipped.end());
    result.warnings.insert(result.warnings.end(), dataset->warnings.begin(), dataset->warnings.end());
  }
  result.stopped = !conductor.early() && trainer->model().step() < options.trainer.steps;
  if (result.stopped || !first) return result;
  result.training_seconds = TrainingSeconds(options.trainer);

  say("rendering the golden audio and the held-out material");
  Parameters weights = trainer->model().weights();
  result.step = trainer->model().step();
  if (conductor.early()) {
    if (const absl::StatusOr<Checkpoint> best = ReadLatestCheckpoint(BestFolder(options), shape); best.ok()) {
      weights = best->weights;
      result.step = best->step;
    }
    say(absl::StrCat("stopped early, after ", trainer->model().step(), " steps; the voice is that of step ",
                     result.step));
  }
  ASSIGN_OR_RETURN(Voice voice, MakeVoice(shape, weights, material.training.settings, profile, options.exporting,
                                          GoldenInput(material)));
  ASSIGN_OR_RETURN(result.evaluation, EvaluateRendering(std::make_shared<const Voice>(voice),
                                                        material.held_out_dataset(), material.held_out_segments));
  result.evaluation.spectral_loss = HeldOutLoss(options.trainer.step, weights, held_out, options.trainer.seed);
  RETURN_IF_ERROR(WriteBundle(options.bundle, voice, options.exporting.storage));
  RETURN_IF_ERROR(LoadVoice(options.bundle).status());
  RETURN_IF_ERROR(WriteReports(options, material, voice, result));
  say(absl::StrCat("wrote ", options.bundle));
  return result;
}

}  // namespace ddsp::training
