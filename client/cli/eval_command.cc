// ddsp eval: how well a voice plays back recordings that it never saw.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "client/cli/command.h"
#include "client/cli/gin_checkpoint.h"
#include "client/cli/progress_bar.h"
#include "client/cli/repository_path.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/wav.h"
#include "core/models/repository.h"
#include "core/streaming/voice_loader.h"
#include "core/training/checkpoint_voice.h"
#include "core/training/dataset_builder.h"
#include "core/training/evaluation.h"

namespace ddsp::client {
namespace {

namespace fs = std::filesystem;
using training::Dataset;
using training::Segment;

struct Options {
  std::string voice, data, part = "held-out", json, out, repository = DefaultRepository();
};

struct HeldOut {
  Dataset dataset;
  std::vector<Segment> segments;
};

absl::StatusOr<HeldOut> ReadHeldOut(const Options& options, int sample_rate) {
  HeldOut held_out;
  if (!training::IsDataset(options.data)) {
    ProgressBar bar("reading recordings");
    training::BuildOptions build;
    build.sample_rate = sample_rate;
    build.progress = [&](double done) { bar.Show(done); };
    ASSIGN_OR_RETURN(held_out.dataset, training::BuildDataset(options.data, build));
    for (const training::RecordingRemark& remark : held_out.dataset.skipped) {
      std::cerr << "skipped " << remark.name << ": " << remark.text << "\n";
    }
    held_out.segments = training::WholeRecordings(held_out.dataset);
    return held_out;
  }
  ASSIGN_OR_RETURN(held_out.dataset, training::ReadShards(options.data));
  const training::DataSplit split = training::SplitDataset(held_out.dataset, training::SplitOf(held_out.dataset));
  held_out.segments = options.part == "all"        ? training::WholeRecordings(held_out.dataset)
                      : options.part == "training" ? split.training
                                                   : split.held_out;
  if (!held_out.segments.empty()) return held_out;
  return absl::FailedPreconditionError(absl::StrCat(options.data, ": its ", options.part, " part is empty"));
}

// What is evaluated: a voice, or a checkpoint, which becomes one with the material's profile.
struct Subject {
  std::shared_ptr<const Voice> voice;
  std::optional<training::VoiceCheckpoint> checkpoint;

  int sample_rate() const {
    return voice ? voice->spec.sample_rate_hz() : static_cast<int>(checkpoint->shape.sample_rate);
  }
};

absl::StatusOr<Subject> SubjectIn(const std::string& version_directory) {
  ASSIGN_OR_RETURN(std::shared_ptr<const Voice> voice, LoadVoice(version_directory));
  return Subject{std::move(voice), std::nullopt};
}

absl::StatusOr<Subject> SubjectOf(const GinCheckpoint& checkpoint) {
  ASSIGN_OR_RETURN(Voice voice, VoiceOfGinCheckpoint(checkpoint, {.name = "checkpoint"}, /*material=*/nullptr));
  std::cerr << checkpoint.path << ": step " << checkpoint.step << "\n";
  return Subject{std::make_shared<const Voice>(std::move(voice)), std::nullopt};
}

// A version's folder, a model's folder, a checkpoint, a run's folder, or a name in the repository.
absl::StatusOr<Subject> FindSubject(const Options& options) {
  std::error_code error;
  if (fs::exists(options.voice + "/MANIFEST.textproto", error)) return SubjectIn(options.voice);
  if (!fs::exists(options.voice, error)) {
    ASSIGN_OR_RETURN(const VoiceLocation found, FindVoice(options.repository, options.voice));
    return SubjectIn(found.directory);
  }
  absl::StatusOr<training::VoiceCheckpoint> checkpoint = training::OpenVoiceCheckpoint(options.voice);
  if (checkpoint.ok()) return Subject{nullptr, *std::move(checkpoint)};
  const fs::path folder = fs::path(options.voice) / "";
  const absl::StatusOr<VoiceLocation> newest =
      FindVoice(folder.parent_path().parent_path().string(), folder.parent_path().filename().string());
  if (newest.ok()) return SubjectIn(newest->directory);
  if (const absl::StatusOr<GinCheckpoint> gin = FindGinCheckpoint(options.voice); gin.ok()) return SubjectOf(*gin);
  return checkpoint.status();
}

absl::StatusOr<std::shared_ptr<const Voice>> VoiceOf(const Subject& subject, const Dataset& material) {
  if (subject.voice != nullptr) return subject.voice;
  training::ExportOptions exporting;
  exporting.label.name = "checkpoint";
  ASSIGN_OR_RETURN(Voice voice, training::VoiceOfCheckpoint(*subject.checkpoint, material, exporting));
  std::cerr << subject.checkpoint->path << ": step " << subject.checkpoint->checkpoint.step << "\n";
  return std::make_shared<const Voice>(std::move(voice));
}

absl::Status WriteSounds(const std::string& folder, const HeldOut& held_out, const Segment& segment,
                         const std::vector<float>& original, const std::vector<float>& rendered) {
  std::error_code error;
  fs::create_directories(folder, error);
  const std::string name = absl::StrReplaceAll(held_out.dataset.recordings[segment.recording].name, {{"/", "_"}});
  const std::string stem = absl::StrFormat("%s/%s-%.0fs", folder, fs::path(name).stem().string(),
                                           static_cast<double>(segment.begin) / held_out.dataset.sample_rate);
  const int rate = held_out.dataset.sample_rate;
  RETURN_IF_ERROR(WriteWav(stem + "-original.wav", {rate, 1, original}, WavEncoding::kPcm16));
  return WriteWav(stem + "-rendered.wav", {rate, 1, rendered}, WavEncoding::kPcm16);
}

absl::Status Evaluate(const Options& options) {
  ASSIGN_OR_RETURN(const Subject subject, FindSubject(options));
  ASSIGN_OR_RETURN(const HeldOut held_out, ReadHeldOut(options, subject.sample_rate()));
  ASSIGN_OR_RETURN(const std::shared_ptr<const Voice> voice, VoiceOf(subject, held_out.dataset));
  const training::PlayedBack write = [&](const Segment& segment, const std::vector<float>& original,
                                         const std::vector<float>& rendered) {
    return WriteSounds(options.out, held_out, segment, original, rendered);
  };
  ASSIGN_OR_RETURN(const training::Evaluation evaluation,
                   training::EvaluateRendering(voice, held_out.dataset, held_out.segments,
                                               options.out.empty() ? training::PlayedBack() : write));
  std::cout << evaluation.ToTable();
  return options.json.empty() ? absl::OkStatus() : WriteFileAtomically(options.json, evaluation.ToJson());
}

}  // namespace

Action DeclareEval(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("VOICE", options->voice,
                 "A voice (its folder, or its name in the repository), a checkpoint, or the work folder of a training")
      ->required();
  app.add_option("--data", options->data, "Recordings, or a data set, of which the held-out part is taken")->required();
  app.add_option("--part", options->part, "Of a data set: held-out, training or all")
      ->check(CLI::IsMember({"held-out", "training", "all"}))
      ->capture_default_str();
  app.add_option("--out", options->out, "Also write originals and renderings there");
  app.add_option("--json", options->json, "Also write the figures there");
  app.add_option("--model-repository", options->repository, "Where names of voices are looked up")
      ->capture_default_str();
  return [options] { return Evaluate(*options); };
}

}  // namespace ddsp::client
