#include "core/training/evaluation_voice.h"

#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "core/base/status_macros.h"
#include "core/base/wav.h"
#include "core/training/checkpoint_voice.h"
#include "core/training/metrics_log.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;

struct Seen {
  std::shared_ptr<const Voice> voice;
  int64_t step = 0;
};

absl::StatusOr<Seen> See(const std::string& path, const TrainVoiceOptions& run, const TrainingMaterial& material) {
  ASSIGN_OR_RETURN(const VoiceCheckpoint checkpoint, OpenVoiceCheckpoint(path));
  ASSIGN_OR_RETURN(Voice voice, VoiceOfCheckpoint(checkpoint, material.training, run.exporting));
  return Seen{std::make_shared<const Voice>(std::move(voice)), checkpoint.checkpoint.step};
}

// Visits each checkpoint of the run with its voice.
absl::Status View(const TrainVoiceOptions& run, const RunViewOptions& options, const std::string& log_name,
                  const std::function<absl::Status(const Seen&, const TrainingMaterial&, MetricsLog&)>& visit) {
  ASSIGN_OR_RETURN(const TrainingMaterial material, ReadMaterial(run.material(), {options.say, nullptr}));
  std::unique_ptr<MetricsLog> log;
  return WatchCheckpoints(run.trainer.directory + "/checkpoints", options.watch, [&](const std::string& path) {
    ASSIGN_OR_RETURN(const Seen seen, See(path, run, material));
    if (log == nullptr) {
      ASSIGN_OR_RETURN(log, MetricsLog::Open(absl::StrCat(run.trainer.directory, "/logs/", log_name), seen.step - 1));
    }
    return visit(seen, material, *log);
  });
}

absl::Status Measure(const Seen& seen, const TrainingMaterial& material, const RunViewOptions& options,
                     MetricsLog& log) {
  ASSIGN_OR_RETURN(const Evaluation evaluation,
                   EvaluateRendering(seen.voice, material.held_out_dataset(), material.held_out_segments));
  log.Add(seen.step, {{"losses/rendered_spectral_loss", evaluation.rendered_spectral_loss},
                      {"metrics/loudness_l1_db", evaluation.loudness_l1_db},
                      {"metrics/f0_l1_semitones", evaluation.f0_l1_semitones},
                      {"metrics/f0_outliers", evaluation.f0_outliers},
                      {"metrics/raw_pitch_accuracy", evaluation.raw_pitch_accuracy},
                      {"metrics/raw_chroma_accuracy", evaluation.raw_chroma_accuracy},
                      {"metrics/voiced_recall", evaluation.voiced_recall}});
  if (options.say) {
    options.say(absl::StrFormat(
        "step %d: spectral loss %.3f, loudness L1 %.2f dB, f0 L1 %.3f semitones, %.2f %% outliers, RPA %.4f, RCA %.4f",
        seen.step, evaluation.rendered_spectral_loss, evaluation.loudness_l1_db, evaluation.f0_l1_semitones,
        100 * evaluation.f0_outliers, evaluation.raw_pitch_accuracy, evaluation.raw_chroma_accuracy));
  }
  return absl::OkStatus();
}

absl::Status Play(const Seen& seen, const TrainingMaterial& material, const TrainVoiceOptions& run,
                  const RunViewOptions& options, MetricsLog& log) {
  const std::string folder = absl::StrFormat("%s/samples/step-%09d", run.trainer.directory, seen.step);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return absl::InternalError(absl::StrCat(folder, ": ", error.message()));
  const Dataset& dataset = material.held_out_dataset();
  const int rate = dataset.sample_rate;
  int64_t played = 0;
  for (const Segment& segment : material.held_out_segments) {
    if (played++ == options.examples) break;
    const Segment sound = FirstSound(dataset, segment, options.example_seconds);
    std::vector<float> original(sound.end - sound.begin);
    CopyAudio(dataset, sound, original.data());
    ASSIGN_OR_RETURN(const std::vector<float> rendered, PlayBack(seen.voice, dataset, sound));
    const std::string name = absl::StrReplaceAll(dataset.recordings[sound.recording].name, {{"/", "_"}});
    RETURN_IF_ERROR(WriteWav(absl::StrCat(folder, "/", name, "-original.wav"), {rate, 1, original}));
    RETURN_IF_ERROR(WriteWav(absl::StrCat(folder, "/", name, "-rendered.wav"), {rate, 1, rendered}));
    RETURN_IF_ERROR(log.AddAudio(seen.step, name + "/original", rate, original));
    RETURN_IF_ERROR(log.AddAudio(seen.step, name + "/rendered", rate, rendered));
  }
  if (options.say) options.say(absl::StrCat("wrote ", folder));
  return absl::OkStatus();
}

}  // namespace

absl::Status EvaluateRun(const TrainVoiceOptions& run, const RunViewOptions& options) {
  return View(run, options, "eval", [&](const Seen& seen, const TrainingMaterial& material, MetricsLog& log) {
    return Measure(seen, material, options, log);
  });
}

absl::Status SampleRun(const TrainVoiceOptions& run, const RunViewOptions& options) {
  return View(run, options, "sample", [&](const Seen& seen, const TrainingMaterial& material, MetricsLog& log) {
    return Play(seen, material, run, options, log);
  });
}

}  // namespace ddsp::training
