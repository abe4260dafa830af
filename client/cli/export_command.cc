// ddsp export: a checkpoint becomes a voice that can be served.
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "client/cli/bundle_path.h"
#include "client/cli/command.h"
#include "client/cli/gin_checkpoint.h"
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

absl::StatusOr<training::Dataset> ReadMaterial(const Options& options, const training::VoiceCheckpoint& checkpoint) {
  const std::string data = options.data.empty() ? training::DatasetOfRun(checkpoint.path) : options.data;
  if (data.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(checkpoint.path,
                     ": the data set that it was trained on is not beside it; give it, or its recordings, by --data"));
  }
  training::BuildOptions build;
  build.sample_rate = static_cast<int>(checkpoint.shape.sample_rate);
  return training::IsDataset(data) ? training::ReadShards(data) : training::BuildDataset(data, build);
}

absl::Status Deliver(const std::string& directory, const Voice& voice, WeightStorage storage, int64_t step) {
  RETURN_IF_ERROR(WriteBundle(directory, voice, storage));
  RETURN_IF_ERROR(LoadVoice(directory).status());
  std::cout << directory << ": " << voice.id() << " of step " << step << ", latency " << voice.spec.latency_samples()
            << " samples; files, shapes and golden audio are right\n";
  return absl::OkStatus();
}

absl::Status ExportGin(const Options& options, const std::string& directory, const GinCheckpoint& checkpoint) {
  const training::VoiceLabel& label = options.exporting.label;
  importer::VoiceImportOptions importing;
  importing.name = label.name;
  importing.version = label.version;
  importing.description = label.description;
  importing.licence = label.licence;
  importing.attribution = label.attribution;
  importing.storage = options.exporting.storage;
  std::optional<training::Dataset> material;
  if (!options.data.empty()) {
    ASSIGN_OR_RETURN(material, training::IsDataset(options.data) ? training::ReadShards(options.data)
                                                                 : training::BuildDataset(options.data, {}));
  } else {
    std::cerr << "without --data the voice knows no dynamics and register: performer profiles will not work\n";
  }
  ASSIGN_OR_RETURN(const Voice voice, VoiceOfGinCheckpoint(checkpoint, importing, material ? &*material : nullptr));
  return Deliver(directory, voice, importing.storage, checkpoint.step);
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
  if (const absl::StatusOr<GinCheckpoint> gin = FindGinCheckpoint(options.checkpoint); gin.ok()) {
    return ExportGin(options, path.directory, *gin);
  }
  ASSIGN_OR_RETURN(const training::VoiceCheckpoint checkpoint, training::OpenVoiceCheckpoint(options.checkpoint));
  ASSIGN_OR_RETURN(const training::Dataset material, ReadMaterial(options, checkpoint));
  options.exporting.seed = checkpoint.checkpoint.seed;
  ASSIGN_OR_RETURN(const Voice voice, training::VoiceOfCheckpoint(checkpoint, material, options.exporting));
  return Deliver(path.directory, voice, options.exporting.storage, checkpoint.checkpoint.step);
}

}  // namespace

Action DeclareExport(CLI::App& app) {
  auto options = std::make_shared<Options>();
  training::VoiceLabel& label = options->exporting.label;
  app.add_option("CHECKPOINT", options->checkpoint, "A checkpoint, or the work folder of a training (with --gin: its OUT): its newest one")
      ->required();
  app.add_option("--out", options->bundle, "Folder of the new version, as in voices/violin/1")->required();
  app.add_option(
      "--data", options->data,
      "The recordings or the data set that it was trained on, for dynamics and register; the data set beside "
      "the checkpoints by default, of gin models none");
  app.add_option("--name", label.name, "Of the voice; OUT's parent folder by default");
  app.add_option("--description", label.description, "One line about the voice");
  app.add_option("--licence", label.licence, "What the recordings allow");
  app.add_option("--attribution", label.attribution, "Whom the recordings are owed to");
  app.add_flag("--float32", options->full_precision, "Store weights in 32 bits instead of 16");
  return [options] { return Export(*options); };
}

}  // namespace ddsp::client
