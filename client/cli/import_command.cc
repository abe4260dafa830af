// ddsp import: models that upstream trained.
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/bundle_path.h"
#include "client/cli/command.h"
#include "core/base/status_macros.h"
#include "core/importer/voice/imported_voice.h"
#include "core/streaming/voice_loader.h"

namespace ddsp::client {
namespace {

struct Options {
  std::string directory;           // of tf-checkpoint
  importer::ParameterFiles files;  // of safetensors
  std::string bundle, weights;
  importer::VoiceImportOptions voice;
  bool accept_old_loudness = false, half_precision = false;
};

void Describe(const importer::ImportedModel& model) {
  const importer::ModelConfig& config = model.config;
  std::cout << "recipe " << config.recipe << ": " << config.sample_rate << " Hz, " << config.frame_rate
            << " frames a second, inputs " << absl::StrJoin(config.decoder.input_keys(), ", ") << "\n"
            << model.weights.weights.size() << " variables, every one used, after " << model.weights.steps
            << " steps of training\n";
  std::cout << (model.statistics ? absl::StrCat(model.statistics->numbers.size(), " statistics of its data set\n")
                                 : "no statistics of its data set: performer profiles will not work\n");
  if (config.loudness != importer::LoudnessDefinition::kMeanOfPower)
    std::cout << "trained on loudness as upstream measured it before 2.0.0\n";
  for (const std::string& obstacle : config.obstacles) std::cout << "cannot be played live: " << obstacle << "\n";
}

absl::Status WriteVoice(const importer::ImportedModel& model, Options options) {
  ASSIGN_OR_RETURN(const BundlePath path, ParseBundlePath(options.bundle, options.voice.name));
  options.voice.name = path.name;
  options.voice.version = path.version;
  options.voice.storage = options.half_precision ? WeightStorage::kFloat16 : WeightStorage::kFloat32;
  options.voice.old_loudness =
      options.accept_old_loudness ? importer::OldLoudness::kAccept : importer::OldLoudness::kRefuse;
  absl::StatusOr<Voice> voice = MakeImportedVoice(model, options.voice);
  if (!voice.ok()) {
    const char* way = absl::IsFailedPrecondition(voice.status())
                          ? "; --accept-old-loudness imports it nevertheless and notes it in the bundle"
                          : "; --weights FILE writes its parameters for the library";
    return absl::Status(voice.status().code(), absl::StrCat(voice.status().message(), way));
  }
  RETURN_IF_ERROR(WriteBundle(path.directory, *voice, options.voice.storage));
  RETURN_IF_ERROR(LoadVoice(path.directory).status());
  std::cout << path.directory << ": " << voice->id() << ", latency " << voice->spec.latency_samples()
            << " samples; files, shapes and golden audio are right\n";
  return absl::OkStatus();
}

// What becomes of a model, whatever it was read from.
absl::Status Deliver(const importer::ImportedModel& model, const Options& options) {
  Describe(model);
  if (!options.weights.empty()) {
    RETURN_IF_ERROR(importer::WriteParameters(model, options.weights));
    std::cout << options.weights << ": " << model.weights.weights.size() << " parameters\n";
  }
  return options.bundle.empty() ? absl::OkStatus() : WriteVoice(model, options);
}

absl::Status CheckDestination(const Options& options) {
  if (!options.bundle.empty() || !options.weights.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("neither --out nor --weights says where the model goes");
}

absl::Status RunTfCheckpoint(const Options& options) {
  RETURN_IF_ERROR(CheckDestination(options));
  ASSIGN_OR_RETURN(const importer::ImportedModel model, importer::ReadTrainingDirectory(options.directory));
  return Deliver(model, options);
}

absl::Status RunSafetensors(const Options& options) {
  RETURN_IF_ERROR(CheckDestination(options));
  ASSIGN_OR_RETURN(const importer::ImportedModel model, importer::ReadParameterFiles(options.files));
  return Deliver(model, options);
}

// Where the model goes, and as what.
void AddDestination(CLI::App& app, Options* options) {
  importer::VoiceImportOptions& voice = options->voice;
  app.add_option("--out", options->bundle, "Folder of the new version, as in voices/violin/1");
  app.add_option("--weights", options->weights, "Also, or only, write the parameters as safetensors, any architecture");
  app.add_option("--name", voice.name, "Of the voice; OUT's parent folder by default");
  app.add_option("--description", voice.description, "One line about the voice");
  app.add_option("--licence", voice.licence, "What the model's licence and its recordings allow");
  app.add_option("--attribution", voice.attribution, "Whom they are owed to");
  app.add_option("--seed", voice.seed, "Of the reverb's impulse response")->capture_default_str();
  app.add_option("--arithmetic", voice.arithmetic, "How the network multiplies; int16 is twice as fast")
      ->check(CLI::IsMember({"float32", "int16"}))
      ->capture_default_str();
  app.add_flag("--float16", options->half_precision, "Store weights in 16 bits instead of 32");
  app.add_flag("--accept-old-loudness", options->accept_old_loudness,
               "Import a model of before upstream 2.0.0 although loudness is measured otherwise now");
}

}  // namespace

Action DeclareImportTfCheckpoint(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("DIR", options->directory,
                 "Training directory with ckpt-N.index and operative_config-N.gin, or one checkpoint in it, DIR/ckpt-N")
      ->required();
  AddDestination(app, options.get());
  return [options] { return RunTfCheckpoint(*options); };
}

Action DeclareImportSafetensors(CLI::App& app) {
  auto options = std::make_shared<Options>();
  importer::ParameterFiles& files = options->files;
  app.add_option("FILE", files.parameters, "Parameters under upstream's names: decoder/dense_out/bias, ...")
      ->required();
  app.add_option("--config", files.config,
                 "Operative configuration (gin); that in the file, if there is one, by default");
  app.add_option("--statistics", files.statistics, "dataset_statistics.pkl; those in the file by default");
  AddDestination(app, options.get());
  return [options] { return RunSafetensors(*options); };
}

}  // namespace ddsp::client
