#include "core/training/train_voice.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/streaming/voice_loader.h"
#include "core/training/dataset_builder.h"
#include "core/training/metrics_log.h"
#include "core/training/model_card.h"
#include "core/training/seed.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;

struct Material {
  Dataset training, held_out;  // held_out is empty when it is a part of `training`
  std::vector<Segment> training_windows, held_out_segments;
  const Dataset& held_out_dataset() const { return held_out.recordings.empty() ? training : held_out; }
};

WindowOptions WindowsOf(const VoiceShape& shape) {
  WindowOptions options;
  options.window_samples = 4 * shape.sample_rate;
  options.hop_samples = shape.sample_rate;
  return options;
}

std::string DescribeData(const Dataset& dataset) {
  return absl::StrFormat("%d recordings, %.1f s, %.1f s of it voiced", dataset.recordings.size(), dataset.seconds(),
                         dataset.voiced_seconds());
}

absl::StatusOr<Material> ReadMaterial(const TrainVoiceOptions& options, const TrainVoiceEvents& events) {
  Material material;
  BuildOptions build{FeatureSettings{}, options.held_out, events.reading};
  ASSIGN_OR_RETURN(material.training,
                   BuildOrReadDataset(options.recordings, build, options.trainer.directory + "/dataset"));
  if (absl::Status status = CheckVoiced(material.training); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat(options.recordings, ": ", status.message()));
  }
  std::vector<Segment> training_segments = WholeRecordings(material.training);
  if (options.held_out.empty()) {
    const DataSplit split = SplitDataset(material.training, options.split);
    training_segments = split.training;
    material.held_out_segments = split.held_out;
  } else {
    build.exclude.clear();
    ASSIGN_OR_RETURN(material.held_out, BuildDataset(options.held_out, build));
    material.held_out_segments = WholeRecordings(material.held_out);
  }
  const ExampleWindows examples =
      ListWindows(material.training, training_segments, WindowsOf(options.trainer.step.shape));
  material.training_windows = examples.windows;
  if (events.say)
    events.say(absl::StrFormat("%s: %s; %d examples of 4 s, %d silent ones left out", options.recordings,
                               DescribeData(material.training), examples.windows.size(), examples.silent));
  return material;
}

// Worker 0 reads before the others, who find what it leaves in a directory that they share.
absl::StatusOr<Material> ReadAndJoin(const TrainVoiceOptions& options, const TrainVoiceEvents& events,
                                     std::unique_ptr<WorkerGroup>* group) {
  JoinOptions join = options.join;
  if (join.workers == 1) return ReadMaterial(options, events);
  absl::StatusOr<Material> material;
  if (join.rank == 0) {
    ASSIGN_OR_RETURN(material, ReadMaterial(options, events));
  } else {
    join.prepare = [&](int) {
      material = ReadMaterial(options, events);
      return material.status();
    };
  }
  ASSIGN_OR_RETURN(*group, JoinWorkers(join));
  return material;
}

// Held-out windows without overlap.
TrainingBatch HeldOutBatch(const Material& material, const VoiceShape& shape) {
  WindowOptions options = WindowsOf(shape);
  options.hop_samples = options.window_samples;
  options.min_sounding = 0;
  return MakeBatch(shape, material.held_out_dataset(),
                   ListWindows(material.held_out_dataset(), material.held_out_segments, options).windows);
}

// Two seconds of held-out sound (or of the training material when nothing is held out), from the first voiced frame on.
std::vector<float> GoldenInput(const Material& material) {
  const Dataset& dataset = material.held_out_dataset();
  Segment from = material.held_out_segments.empty() ? material.training_windows[0] : material.held_out_segments[0];
  const std::vector<FeatureFrame> frames = CopyFrames(dataset, from);
  const auto voiced =
      std::find_if(frames.begin(), frames.end(), [](const FeatureFrame& frame) { return frame.voiced; });
  if (voiced != frames.end()) from.begin += (voiced - frames.begin()) * dataset.settings.hop();
  from.end = from.begin + 2 * dataset.settings.sample_rate;
  std::vector<float> input(from.end - from.begin);
  CopyAudio(dataset, from, input.data());
  return input;
}

// The first voiced stretch of what is held out, `seconds` long or as long as there is.
Segment ExampleSegment(const Material& material, double seconds) {
  const Dataset& dataset = material.held_out_dataset();
  Segment from = material.held_out_segments.empty() ? material.training_windows[0] : material.held_out_segments[0];
  const std::vector<FeatureFrame> frames = CopyFrames(dataset, from);
  const auto voiced =
      std::find_if(frames.begin(), frames.end(), [](const FeatureFrame& frame) { return frame.voiced; });
  if (voiced != frames.end()) from.begin += (voiced - frames.begin()) * dataset.settings.hop();
  from.end = std::min(from.end, from.begin + static_cast<int64_t>(seconds * dataset.settings.sample_rate));
  return from;
}

// Makes the listening examples of a run.
class ExampleMaker {
 public:
  ExampleMaker(const TrainVoiceOptions& options, const Material& material, const MaterialProfile& profile)
      : options_(options),
        material_(material),
        profile_(profile),
        segment_(ExampleSegment(material, options.example_seconds)) {}

  absl::StatusOr<ListeningExample> Make(const TrainStep& model) const {
    const Dataset& dataset = material_.held_out_dataset();
    // A voice needs a golden input; a tenth of a second is one.
    std::vector<float> golden(dataset.settings.sample_rate / 10);
    ASSIGN_OR_RETURN(Voice voice, MakeVoice(options_.trainer.step.shape, model.weights(), dataset.settings, profile_,
                                            options_.exporting, std::move(golden)));
    ListeningExample example;
    example.step = model.step();
    example.name = dataset.recordings[segment_.recording].name;
    example.sample_rate = dataset.settings.sample_rate;
    example.begin_s = static_cast<double>(segment_.begin) / example.sample_rate;
    example.original.resize(segment_.end - segment_.begin);
    CopyAudio(dataset, segment_, example.original.data());
    ASSIGN_OR_RETURN(example.rendered, PlayBack(std::make_shared<const Voice>(std::move(voice)), dataset, segment_));
    return example;
  }

 private:
  const TrainVoiceOptions& options_;
  const Material& material_;
  const MaterialProfile& profile_;
  const Segment segment_;
};

// Steps until the run is over or an event says stop or fails.
absl::Status RunSteps(Trainer& trainer, const TrainVoiceOptions& options, const TrainVoiceEvents& events,
                      const ExampleMaker& examples) {
  absl::Status failure;
  const auto listen = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const ListeningExample example, examples.Make(trainer.model()));
    return events.example(example);
  };
  RETURN_IF_ERROR(trainer.Run([&](const TrainingProgress& progress) {
    const bool due =
        options.example_steps > 0 && (progress.step % options.example_steps == 0 || progress.step == progress.steps);
    if (events.example && due) failure = listen();
    if (!failure.ok()) return TrainerVerdict::kStop;
    return events.step ? events.step(progress) : TrainerVerdict::kContinue;
  }));
  return failure;
}

absl::Status StartOver(const std::string& directory) {
  std::error_code error;
  fs::remove_all(directory + "/checkpoints", error);
  fs::remove_all(directory + "/logs", error);
  if (error) return absl::InternalError(absl::StrCat(directory, ": ", error.message()));
  return absl::OkStatus();
}

absl::Status WriteReports(const TrainVoiceOptions& options, const Material& material, const Voice& voice,
                          const TrainVoiceResult& result) {
  ModelCard card;
  const std::string logs = options.trainer.directory + "/logs";
  card.command = options.command;
  card.data = DescribeData(material.training);
  card.held_out = options.held_out.empty() ? absl::StrFormat("%.1f s of the same recordings", result.evaluation.seconds)
                                           : DescribeData(material.held_out);
  card.options = options.trainer.Describe();
  card.training_seconds = result.training_seconds;
  card.steps = options.trainer.steps;
  card.seconds_per_step = result.training_seconds / static_cast<double>(options.trainer.steps);
  card.loss_curve = ReadMetric(logs, "loss/total");
  card.held_out_curve = ReadMetric(logs, "held_out/spectral_loss");
  card.evaluation = result.evaluation;
  RETURN_IF_ERROR(WriteFileAtomically(options.trainer.directory + "/report.json", result.evaluation.ToJson()));
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
  ASSIGN_OR_RETURN(const Material material, ReadAndJoin(options, events, &group));
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
  RETURN_IF_ERROR(RunSteps(*trainer, options, events, ExampleMaker(options, material, profile)));
  TrainVoiceResult result;
  result.stopped = trainer->model().step() < options.trainer.steps;
  if (result.stopped || !first) return result;
  result.training_seconds = TrainingSeconds(options.trainer);

  say("rendering the golden audio and the held-out material");
  const Parameters weights = trainer->model().weights();
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
