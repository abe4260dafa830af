#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/bundle_path.h"
#include "client/cli/command.h"
#include "client/cli/model_directory.h"
#include "client/cli/model_list.h"
#include "core/base/status_macros.h"
#include "core/models/text_proto.h"
#include "core/streaming/batch_voice_engine.h"
#include "core/streaming/random_voice.h"
#include "core/streaming/voice_loader.h"

namespace ddsp::client {
namespace {

absl::Status Verify(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::string version, VersionDirectory(directory));
  ASSIGN_OR_RETURN(const std::shared_ptr<const Voice> voice, LoadVoice(version));
  PrintVoice(*voice);
  std::cout << version << ": files, shapes and golden audio are right\n";
  return absl::OkStatus();
}

// What the voice is, and what each of its streams needs of a server's memory.
absl::Status Show(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::string version, VersionDirectory(directory));
  ASSIGN_OR_RETURN(const std::shared_ptr<const Voice> voice, ReadBundle(version));
  ASSIGN_OR_RETURN(const std::unique_ptr<BatchVoiceEngine> engine, BatchVoiceEngine::Create(voice, 1));
  PrintVoice(*voice);
  std::cout << FormatTextProto(voice->spec) << "state of a stream: " << engine->bytes_per_slot() << " bytes\n";
  for (const StatePart& part : engine->state_parts()) {
    std::cout << absl::StrFormat("  %-20s %8d\n", part.name, part.bytes);
  }
  return absl::OkStatus();
}

struct RandomOptions {
  std::string out;
  RandomVoiceOptions voice;
};

absl::Status Random(RandomOptions options) {
  ASSIGN_OR_RETURN(const BundlePath path, ParseBundlePath(options.out, options.voice.name));
  options.voice.name = path.name;
  options.voice.version = path.version;
  ASSIGN_OR_RETURN(const Voice voice, MakeRandomVoice(options.voice));
  RETURN_IF_ERROR(WriteBundle(path.directory, voice, WeightStorage::kFloat16));
  return Verify(path.directory);
}

struct ConvertOptions {
  std::string directory, out, arithmetic;
};

// The same weights, multiplied otherwise, and golden audio of that.
absl::Status Convert(const ConvertOptions& options) {
  ASSIGN_OR_RETURN(const std::string version, VersionDirectory(options.directory));
  ASSIGN_OR_RETURN(const std::shared_ptr<const Voice> voice, LoadVoice(version));
  ASSIGN_OR_RETURN(const BundlePath path, ParseBundlePath(options.out, voice->spec.name()));
  const auto converted = std::make_shared<Voice>(*voice);
  converted->spec.set_name(path.name);
  converted->version = path.version;
  converted->spec.mutable_decoder()->set_arithmetic(options.arithmetic);
  RoundWeights(WeightStorage::kFloat16, &converted->weights);
  RETURN_IF_ERROR(CompleteVoice(voice->golden.input, voice->golden.seed, converted));
  RETURN_IF_ERROR(WriteBundle(path.directory, *converted, WeightStorage::kFloat16));
  return Verify(path.directory);
}

}  // namespace

Action DeclareModelConvert(CLI::App& app) {
  auto options = std::make_shared<ConvertOptions>();
  app.add_option("DIR", options->directory,
                 "Directory of a version (models/violin/1), or of a model: its newest version")
      ->required();
  app.add_option("--out", options->out, "Folder of the new version, as in voices/violin/2")->required();
  app.add_option("--arithmetic", options->arithmetic, "How its network multiplies; int16 is twice as fast")
      ->check(CLI::IsMember({"float32", "int16"}))
      ->required();
  return [options] { return Convert(*options); };
}

Action DeclareModelRandom(CLI::App& app) {
  auto options = std::make_shared<RandomOptions>();
  app.add_option("--out", options->out, "Folder of the new version, as in voices/solo/1")->required();
  app.add_option("--recipe", options->voice.recipe, "What kind of voice")
      ->check(CLI::IsMember(RandomVoiceRecipes()))
      ->required();
  app.add_option("--name", options->voice.name, "Of the voice; OUT's parent folder by default");
  app.add_option("--arithmetic", options->voice.arithmetic, "How its network multiplies; int16 is twice as fast")
      ->check(CLI::IsMember({"float32", "int16"}))
      ->capture_default_str();
  app.add_option("--harmonics", options->voice.harmonics, "Harmonics of the synthesiser; the recipe's by default")
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", options->voice.seed, "Of the weights")->capture_default_str();
  return [options] { return Random(*options); };
}

Action DeclareModelShow(CLI::App& app) {
  auto directory = std::make_shared<std::string>();
  app.add_option("DIR", *directory, "Directory of a version (models/violin/1), or of a model: its newest version")
      ->required();
  return [directory] { return Show(*directory); };
}

Action DeclareModelVerify(CLI::App& app) {
  auto directory = std::make_shared<std::string>();
  app.add_option("DIR", *directory, "Directory of a version (models/violin/1), or of a model: its newest version")
      ->required();
  return [directory] { return Verify(*directory); };
}

}  // namespace ddsp::client
