#include "core/importer/voice/imported_voice.h"

#include <cmath>
#include <memory>
#include <numbers>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/safetensors.h"
#include "core/base/status_macros.h"
#include "core/gin/reader.h"
#include "core/importer/parameter_file.h"
#include "core/importer/training_directory.h"
#include "core/importer/voice/frozen_reverb.h"
#include "core/streaming/voice_loader.h"

namespace ddsp::importer {
namespace {

constexpr char kProcessors[] = "processor_group/", kMagnitudes[] = "/magnitudes";

// Features at the extractor's own rate, from which the engine interpolates where the decoder makes a whole number of
// frames for each; else at the decoder's.
FeatureSettings SettingsOf(const ModelConfig& config) {
  FeatureSettings settings;
  if (config.frame_rate % settings.frame_rate != 0) settings.frame_rate = config.frame_rate;
  settings.power_frame_size = config.power_frame_size;
  return settings;
}

// Minimum, mean and maximum of notes, where the statistics have them.
void SetProfile(const DatasetStatistics& statistics, v1::VoiceProfile* profile) {
  const auto number = [&](const char* name) {
    const auto it = statistics.numbers.find(name);
    return it == statistics.numbers.end() ? NAN : static_cast<float>(it->second);
  };
  const float low = number("mean_min_power_note"), mean = number("mean_power_note"),
              high = number("mean_max_power_note");
  if (low <= mean && mean <= high) {
    for (const float db : {low, mean, high}) profile->add_power_quantiles_db(db);
  }
  const float pitch = number("mean_pitch_note");
  if (!(pitch >= 0 && pitch <= 127)) return;
  profile->set_mean_pitch_midi(pitch);
  profile->set_min_pitch_midi(number("mean_min_pitch_note"));
  profile->set_max_pitch_midi(number("mean_max_pitch_note"));
}

v1::VoiceSpec SpecOf(const ImportedModel& model, const VoiceImportOptions& options) {
  const FeatureSettings settings = SettingsOf(model.config);
  v1::VoiceSpec spec;
  spec.set_name(options.name);
  spec.set_description(options.description);
  spec.set_recipe(model.config.recipe);
  spec.set_licence(options.licence);
  spec.set_attribution(options.attribution);
  spec.set_sample_rate_hz(model.config.sample_rate);
  spec.set_hop_size(model.config.sample_rate / settings.frame_rate);
  v1::FeatureSpec* features = spec.mutable_features();
  features->set_version(settings.version);
  features->set_frame_rate(settings.frame_rate);
  features->set_power_frame_size(settings.power_frame_size);
  features->set_loudness_fft_size(settings.loudness_fft_size);
  features->set_f0_min_hz(settings.min_f0_hz);
  features->set_f0_max_hz(settings.max_f0_hz);
  if (model.config.loudness != LoudnessDefinition::kMeanOfPower)
    features->set_loudness_definition(NameOf(model.config.loudness));
  *spec.mutable_decoder() = model.config.decoder;
  if (model.config.frame_rate != settings.frame_rate) spec.mutable_decoder()->set_frame_rate(model.config.frame_rate);
  spec.mutable_decoder()->set_arithmetic(options.arithmetic);
  *spec.mutable_graph() = model.config.graph;
  if (model.statistics) SetProfile(*model.statistics, spec.mutable_profile());
  // As a trained voice's: a wrong weight is off by far more than processors differ in rounding.
  spec.set_golden_tolerance(1e-3);
  return spec;
}

// A second of two notes, a glide between them, and a rest.
std::vector<float> GoldenInput(int sample_rate) {
  std::vector<float> audio(sample_rate);
  double phase = 0;
  for (int i = 0; i < sample_rate; ++i) {
    const double t = static_cast<double>(i) / sample_rate;
    const double glide = std::clamp((t - 0.3) / 0.1, 0.0, 1.0);
    const double level = t < 0.8 ? 0.2 * std::min(1.0, t / 0.05) : 0;
    phase += 220 * std::pow(1.5, glide) / sample_rate;
    double sample = 0;
    for (int k = 1; k <= 6; ++k) sample += std::sin(2 * std::numbers::pi * k * phase) / k;
    audio[i] = static_cast<float>(level * sample);
  }
  return audio;
}

const v1::GraphSpec::Node* NodeOf(const ModelConfig& config, absl::string_view name) {
  for (const auto& node : config.graph.nodes()) {
    if (node.name() == name) return &node;
  }
  return nullptr;
}

absl::Status AddWeights(const ImportedModel& model, uint64_t seed, Voice* voice) {
  for (const auto& [path, weight] : model.weights.weights) {
    absl::string_view name = path;
    if (!absl::ConsumePrefix(&name, kProcessors)) {
      voice->weights[path] = {weight.shape, weight.values};
    } else if (absl::EndsWith(name, kMagnitudes)) {
      const std::string node(absl::StripSuffix(name, kMagnitudes));
      ASSIGN_OR_RETURN(std::vector<float> response, FreezeReverb(*NodeOf(model.config, node), weight, seed));
      const auto length = static_cast<int64_t>(response.size());
      voice->weights[node + "/ir"] = {{length}, std::move(response)};
    } else {
      voice->weights[std::string(name)] = {weight.shape, weight.values};
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ConfigText(const ParameterFiles& files, const Safetensors& parameters) {
  if (!files.config.empty()) return ReadFile(files.config);
  const auto text = parameters.metadata().find("gin");
  if (text != parameters.metadata().end()) return text->second;
  return absl::InvalidArgumentError(
      absl::StrCat(files.parameters, " does not say what model it is of: a gin configuration is needed with it"));
}

}  // namespace

std::string NameOf(LoudnessDefinition definition) {
  return definition == LoudnessDefinition::kMeanOfPower ? "mean_of_power" : "mean_of_db";
}

absl::StatusOr<ImportedModel> ReadTrainingDirectory(const std::string& path) {
  ASSIGN_OR_RETURN(const TrainingDirectory files, FindTrainingFiles(path));
  ImportedModel model;
  ASSIGN_OR_RETURN(model.gin, ReadFile(files.config));
  ASSIGN_OR_RETURN(const gin::Config config, gin::ParseConfig(model.gin, files.config));
  ASSIGN_OR_RETURN(model.config, ReadModelConfig(config));
  ASSIGN_OR_RETURN(const TensorBundle bundle, TensorBundle::Open(files.checkpoint));
  ASSIGN_OR_RETURN(model.weights, ReadWeights(bundle, model.config));
  if (!files.statistics.empty()) {
    ASSIGN_OR_RETURN(model.statistics, ReadDatasetStatistics(files.statistics));
  }
  return model;
}

absl::StatusOr<ImportedModel> ReadParameterFiles(const ParameterFiles& files) {
  ASSIGN_OR_RETURN(const Safetensors parameters, Safetensors::Map(files.parameters));
  ImportedModel model;
  ASSIGN_OR_RETURN(model.gin, ConfigText(files, parameters));
  const std::string gin_file = files.config.empty() ? files.parameters + " (gin)" : files.config;
  ASSIGN_OR_RETURN(const gin::Config config, gin::ParseConfig(model.gin, gin_file, gin::DiskFiles()));
  ASSIGN_OR_RETURN(model.config, ReadModelConfig(config));
  // Otherwise a guess from what the configuration says and leaves out.
  const auto loudness = parameters.metadata().find("loudness_definition");
  if (loudness != parameters.metadata().end()) {
    model.config.loudness = loudness->second == NameOf(LoudnessDefinition::kMeanOfDb)
                                ? LoudnessDefinition::kMeanOfDb
                                : LoudnessDefinition::kMeanOfPower;
  }
  ASSIGN_OR_RETURN(model.weights, ReadWeights(parameters, model.config, files.parameters));
  if (files.statistics.empty()) {
    model.statistics = StatisticsOf(parameters);
  } else {
    ASSIGN_OR_RETURN(model.statistics, ReadDatasetStatistics(files.statistics));
  }
  return model;
}

absl::StatusOr<Voice> MakeImportedVoice(const ImportedModel& model, const VoiceImportOptions& options) {
  if (!model.config.obstacles.empty()) {
    return absl::UnimplementedError(
        absl::StrCat("the live engine cannot play this model: ", absl::StrJoin(model.config.obstacles, "; ")));
  }
  if (model.config.loudness != LoudnessDefinition::kMeanOfPower && options.old_loudness == OldLoudness::kRefuse) {
    return absl::FailedPreconditionError(
        "the model was trained on loudness as upstream measured it before 2.0.0 (mean over bins of dB): what is "
        "measured here differs by several dB, so that it would play with other dynamics than it learned");
  }
  auto voice = std::make_shared<Voice>();
  voice->spec = SpecOf(model, options);
  voice->version = options.version;
  RETURN_IF_ERROR(AddWeights(model, options.seed, voice.get()));
  RoundWeights(options.storage, &voice->weights);
  RETURN_IF_ERROR(CompleteVoice(GoldenInput(model.config.sample_rate), options.seed, voice));
  return *voice;
}

absl::Status WriteParameters(const ImportedModel& model, const std::string& path) {
  SafetensorsWriter writer;
  for (const auto& [name, weight] : model.weights.weights) writer.AddFloats(name, weight.shape, weight.values.data());
  writer.SetMetadata("recipe", model.config.recipe);
  writer.SetMetadata("loudness_definition", NameOf(model.config.loudness));
  writer.SetMetadata("steps", absl::StrCat(model.weights.steps));
  writer.SetMetadata("gin", model.gin);
  if (model.statistics) {
    for (const auto& [name, value] : model.statistics->numbers)
      writer.SetMetadata("statistics/" + name, absl::StrFormat("%.17g", value));
  }
  return writer.Write(path);
}

}  // namespace ddsp::importer
