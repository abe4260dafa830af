// ddsp export: a checkpoint becomes a voice that can be served.
#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/bundle_path.h"
#include "client/cli/command.h"
#include "core/base/status_macros.h"
#include "core/streaming/voice_loader.h"
#include "core/training/checkpoint_voice.h"
#include "core/training/dataset_builder.h"

namespace ddsp::client {
namespace {

struct Options {
  std::string checkpoint, bundle, data;
  training::ExportOptions exporting;
  bool full_precision = false;
};

absl::StatusOr<training::Dataset> ReadMaterial(const Options& options, const std::string& checkpoint) {
  const std::string data = options.data.empty() ? training::DatasetOfRun(checkpoint) : options.data;
  if (data.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        checkpoint, ": the data set that it was trained on is not beside it; give it, or its recordings, by --data"));
  }
  return training::IsDataset(data) ? training::ReadShards(data) : training::BuildDataset(data, {});
}

absl::Status Export(Options options) {
  training::VoiceLabel& label = options.exporting.label;
  ASSIGN_OR_RETURN(const BundlePath path, ParseBundlePath(options.bundle, label.name));
  if (std::filesystem::exists(path.directory)) {
    return absl::AlreadyExistsError(absl::StrCat(path.directory, ": is there already; give another version"));
  }
  label.name = path.name;
  label.version = path.version;
  options.exporting.storage = options.full_precision ? WeightStorage::kFloat32 : WeightStorage::kFloat16;
  ASSIGN_OR_RETURN(const training::VoiceCheckpoint checkpoint, training::OpenVoiceCheckpoint(options.checkpoint));
  ASSIGN_OR_RETURN(const training::Dataset material, ReadMaterial(options, checkpoint.path));
  options.exporting.seed = checkpoint.checkpoint.seed;
  ASSIGN_OR_RETURN(const Voice voice, training::VoiceOfCheckpoint(checkpoint, material, options.exporting));
  RETURN_IF_ERROR(WriteBundle(path.directory, voice, options.exporting.storage));
  RETURN_IF_ERROR(LoadVoice(path.directory).status());
  std::cout << path.directory << ": " << voice.id() << " of step " << checkpoint.checkpoint.step << ", latency "
            << voice.spec.latency_samples() << " samples; files, shapes and golden audio are right\n";
  return absl::OkStatus();
}

}  // namespace

Action DeclareExport(CLI::App& app) {
  auto options = std::make_shared<Options>();
  training::VoiceLabel& label = options->exporting.label;
  app.add_option("CHECKPOINT", options->checkpoint, "A checkpoint, or the work folder of a training: its newest one")
      ->required();
  app.add_option("--out", options->bundle, "Folder of the new version, as in voices/violin/1")->required();
  app.add_option(
      "--data", options->data,
      "The recordings or the data set that it was trained on, for dynamics and register; the data set beside "
      "the checkpoints by default");
  app.add_option("--name", label.name, "Of the voice; OUT's parent folder by default");
  app.add_option("--description", label.description, "One line about the voice");
  app.add_option("--licence", label.licence, "What the recordings allow");
  app.add_option("--attribution", label.attribution, "Whom the recordings are owed to");
  app.add_flag("--float32", options->full_precision, "Store weights in 32 bits instead of 16");
  return [options] { return Export(*options); };
}

}  // namespace ddsp::client
