#include "worker/runners/train_runner.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "core/base/status_macros.h"
#include "core/base/wav.h"
#include "core/training/train_voice.h"
#include "worker/runners/courier.h"
#include "worker/runners/train_plan.h"
#include "worker/runners/train_snapshot.h"

namespace ddsp::worker {
namespace {

namespace fs = std::filesystem;
using training::TrainingProgress;
using training::TrainVoiceOptions;

// One run: what TrainVoice tells, passed on.
class Training {
 public:
  Training(const JobContext& context, TrainVoiceOptions options)
      : context_(context),
        options_(std::move(options)),
        courier_(context.blobs, context.report, context.workspace + "/courier") {}

  absl::StatusOr<v1::JobResult> Run();

 private:
  absl::Status FetchRecordings();
  // Puts the job's checkpoint where the trainer finds it. One that is gone or damaged costs time, not the job.
  void FetchCheckpoint();
  absl::StatusOr<training::TrainVoiceResult> Train();
  training::TrainerVerdict Observe(const TrainingProgress& progress);
  absl::Status Listen(const training::ListeningExample& example);
  absl::StatusOr<v1::JobResult> Upload(const training::TrainVoiceResult& trained);
  absl::Status UploadFolder(const std::string& folder, const std::string& prefix, v1::JobResult* result);

  const JobContext& context_;
  TrainVoiceOptions options_;
  Courier courier_;
  bool said_original_ = false;
};

absl::Status Training::FetchRecordings() {
  for (const v1::JobFile& file : context_.job.spec().train().data()) {
    RETURN_IF_ERROR(context_.stop.status());
    RETURN_IF_ERROR(
        context_.blobs.Fetch(file.sha256(), absl::StrCat(context_.workspace, "/", kRecordings, "/", file.path())));
  }
  return absl::OkStatus();
}

void Training::FetchCheckpoint() {
  const v1::JobCheckpoint& checkpoint = context_.job.checkpoint();
  if (checkpoint.sha256().empty()) return;
  const std::string file = context_.workspace + "/snapshot";
  absl::Status status = context_.blobs.Fetch(checkpoint.sha256(), file);
  if (status.ok()) status = UnpackSnapshot(file, checkpoint.step(), options_.trainer.directory);
  std::error_code ignored;
  fs::remove(file, ignored);
  if (!status.ok() && !absl::IsCancelled(status)) {
    context_.report.Say(absl::StrCat("checkpoint ", checkpoint.step(), " cannot be used: ", status.message()));
  }
}

training::TrainerVerdict Training::Observe(const TrainingProgress& progress) {
  JobReporter& report = context_.report;
  report.SetProgress(progress.step, progress.steps);
  report.SetMetric("loss", progress.loss);
  if (progress.held_out_loss > 0) report.SetMetric("held_out", progress.held_out_loss);
  report.SetMetric("learning_rate", options_.trainer.step.learning_rate.At(progress.step));
  if (progress.seconds_per_step > 0) report.SetMetric("steps_per_second", 1 / progress.seconds_per_step);
  return context_.stop.asked() ? training::TrainerVerdict::kStop : training::TrainerVerdict::kContinue;
}

absl::Status Training::Listen(const training::ListeningExample& example) {
  const auto write = [&](const std::string& name, const std::vector<float>& samples) -> absl::Status {
    const std::string file = absl::StrCat(context_.workspace, "/courier/", name);
    const Wav wav{example.sample_rate, 1, samples};
    RETURN_IF_ERROR(WriteWav(file, wav, WavEncoding::kPcm16));
    courier_.OfferExample("examples/" + name, file);
    return absl::OkStatus();
  };
  if (context_.job.progress().examples().empty() && !said_original_) {
    said_original_ = true;
    RETURN_IF_ERROR(write("original.wav", example.original));
  }
  return write(absl::StrFormat("step-%07d.wav", example.step), example.rendered);
}

absl::StatusOr<training::TrainVoiceResult> Training::Train() {
  training::TrainVoiceEvents events;
  const std::string folder = absl::StrCat(context_.workspace, "/");
  events.say = [&](const std::string& line) { context_.report.Say(absl::StrReplaceAll(line, {{folder, ""}})); };
  events.step = [&](const TrainingProgress& progress) { return Observe(progress); };
  events.checkpoint = [&](int64_t step, const std::string& path) {
    return courier_.OfferCheckpoint(step, path, options_.trainer.directory);
  };
  events.example = [&](const training::ListeningExample& example) { return Listen(example); };
  absl::StatusOr<training::TrainVoiceResult> result = TrainVoice(options_, events);
  if (absl::IsFailedPrecondition(result.status()) &&
      absl::StrContains(result.status().message(), "a run with other options")) {
    // Written by a worker of another release.
    context_.report.Say("the checkpoint is of other options: beginning anew");
    options_.start_over = true;
    result = TrainVoice(options_, events);
  }
  return result;
}

absl::Status Training::UploadFolder(const std::string& folder, const std::string& prefix, v1::JobResult* result) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->is_regular_file()) paths.push_back(it->path());
  }
  if (error) return absl::InternalError(absl::StrCat(folder, ": ", error.message()));
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    ASSIGN_OR_RETURN(*result->add_files(),
                     context_.blobs.Store(path.string(), prefix + path.lexically_relative(folder).string()));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::JobResult> Training::Upload(const training::TrainVoiceResult& trained) {
  const training::Evaluation& evaluation = trained.evaluation;
  v1::JobResult result;
  RETURN_IF_ERROR(UploadFolder(options_.bundle, "voice/", &result));
  const std::vector<std::pair<std::string, std::string>> reports = {
      {options_.trainer.directory + "/report.json", "report/evaluation.json"},
      {options_.bundle + ".md", "report/MODEL_CARD.md"},
      {options_.trainer.directory + "/logs/metrics.jsonl", "report/metrics.jsonl"}};
  for (const auto& [file, path] : reports) {
    if (!fs::exists(file)) continue;
    ASSIGN_OR_RETURN(*result.add_files(), context_.blobs.Store(file, path));
  }
  auto& metrics = *result.mutable_metrics();
  metrics["held_out_seconds"] = evaluation.seconds;
  metrics["spectral_loss"] = evaluation.spectral_loss;
  metrics["rendered_spectral_loss"] = evaluation.rendered_spectral_loss;
  metrics["loudness_l1_db"] = evaluation.loudness_l1_db;
  metrics["f0_l1_semitones"] = evaluation.f0_l1_semitones;
  metrics["voiced_recall"] = evaluation.voiced_recall;
  metrics["recordings_skipped"] = static_cast<double>(trained.skipped.size());
  metrics["recordings_warned_of"] = static_cast<double>(trained.warnings.size());
  return result;
}

absl::StatusOr<v1::JobResult> Training::Run() {
  at::set_num_threads(options_.trainer.step.shards);
  RETURN_IF_ERROR(FetchRecordings());
  FetchCheckpoint();
  RETURN_IF_ERROR(context_.stop.status());
  const absl::StatusOr<training::TrainVoiceResult> trained = Train();
  // Whatever became of the training, its last checkpoint is worth keeping.
  courier_.Drain();
  // The next attempt would come to the same numbers.
  if (absl::IsInternal(trained.status()) && absl::StrContains(trained.status().message(), "not finite")) {
    return absl::FailedPreconditionError(trained.status().message());
  }
  if (!trained.ok()) return trained.status();
  if (trained->stopped) return context_.stop.status();
  return Upload(*trained);
}

}  // namespace

absl::StatusOr<v1::JobResult> TrainRunner::Run(const JobContext& context) const {
  ASSIGN_OR_RETURN(TrainVoiceOptions options, PlanTraining(context.job.spec().train(), context.workspace));
  options.trainer.checkpoint_interval = options_.checkpoint_interval;
  return Training(context, std::move(options)).Run();
}

}  // namespace ddsp::worker
