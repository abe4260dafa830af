#include "core/models/voice.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/safetensors.h"
#include "core/models/voice_name.h"

namespace ddsp {
namespace {

using Shape = std::vector<int64_t>;

constexpr int kMaxDecoderFrameRate = 1000;
// Those of streams.
constexpr int kMinSampleRate = 8000, kMaxSampleRate = 48000;

using WeightShapes = std::vector<std::pair<std::string, Shape>>;

// Parameters of an FcStack under upstream's checkpoint paths: layer i is Dense (-0) and LayerNormalization (-1).
void AddStack(const v1::DecoderSpec& decoder, const std::string& path, int64_t inputs, WeightShapes* weights) {
  const int64_t channels = decoder.channels();
  for (int layer = 0; layer < decoder.layers_per_stack(); ++layer) {
    const std::string at = absl::StrCat(path, "/layer_with_weights-", layer, "/layer_with_weights-");
    weights->push_back({at + "0/kernel", {layer == 0 ? inputs : channels, channels}});
    weights->push_back({at + "0/bias", {channels}});
    weights->push_back({at + "1/gamma", {channels}});
    weights->push_back({at + "1/beta", {channels}});
  }
}

void ValidateWeights(const Voice& voice, std::vector<std::string>* problems) {
  std::set<std::string> known;
  for (const auto& [name, shape] : DecoderWeights(voice.spec)) {
    known.insert(name);
    const auto found = voice.weights.find(name);
    if (found == voice.weights.end()) {
      problems->push_back(absl::StrCat("weight '", name, "' is missing"));
    } else if (found->second.shape != shape) {
      problems->push_back(absl::StrCat("weight '", name, "' has shape [", absl::StrJoin(found->second.shape, ","),
                                       "], not [", absl::StrJoin(shape, ","), "]"));
    }
  }
  for (const auto& node : voice.spec.graph().nodes()) known.insert(node.name() + "/ir");
  for (const auto& [name, weight] : voice.weights) {
    if (known.count(name) == 0) problems->push_back(absl::StrCat("weight '", name, "' belongs to nothing"));
  }
}

void Require(bool holds, std::string problem, std::vector<std::string>* problems) {
  if (!holds) problems->push_back(std::move(problem));
}

// Frames of controls divide a hop of features evenly.
void ValidateFrameRate(const v1::VoiceSpec& spec, std::vector<std::string>* problems) {
  const int rate = spec.decoder().frame_rate(), features = spec.features().frame_rate();
  if (rate == 0 || features <= 0) return;
  const bool fits = rate >= features && rate <= kMaxDecoderFrameRate && rate % features == 0 &&
                    spec.hop_size() % (rate / features) == 0;
  Require(fits,
          absl::StrCat("decoder.frame_rate ", rate, " is no multiple of features.frame_rate ", features, " up to ",
                       kMaxDecoderFrameRate, " that divides a hop of ", spec.hop_size(), " samples"),
          problems);
}

void ValidateDecoder(const v1::DecoderSpec& decoder, std::vector<std::string>* problems) {
  const auto bounded = [&](const char* field, int value, int min, int max) {
    Require(value >= min && value <= max, absl::StrCat("decoder.", field, " ", value, " is outside ", min, "..", max),
            problems);
  };
  bounded("rnn_channels", decoder.rnn_channels(), 1, 8192);
  bounded("channels", decoder.channels(), 1, 8192);
  bounded("layers_per_stack", decoder.layers_per_stack(), 0, 16);
  bounded("input_keys", decoder.input_keys_size(), 1, 16);
  bounded("output_splits", decoder.output_splits_size(), 1, 64);
  const std::string& arithmetic = decoder.arithmetic();
  Require(arithmetic.empty() || arithmetic == "float32" || arithmetic == "int16",
          absl::StrCat("decoder.arithmetic: unknown '", arithmetic, "'"), problems);
  for (const std::string& key : decoder.input_keys()) {
    Require(key == "pw_scaled" || key == "ld_scaled" || key == "f0_scaled",
            absl::StrCat("decoder.input_keys: unknown feature '", key, "'"), problems);
  }
  for (const auto& split : decoder.output_splits()) {
    bounded(absl::StrCat("output_splits.", split.name()).c_str(), split.size(), 1, 65536);
  }
}

}  // namespace

std::string Voice::id() const { return absl::StrCat(spec.name(), "/", version); }

FeatureSettings Voice::feature_settings() const {
  FeatureSettings settings;
  settings.frame_rate = spec.features().frame_rate();
  settings.power_frame_size = spec.features().power_frame_size();
  settings.loudness_fft_size = spec.features().loudness_fft_size();
  settings.min_f0_hz = static_cast<float>(spec.features().f0_min_hz());
  settings.max_f0_hz = static_cast<float>(spec.features().f0_max_hz());
  settings.version = spec.features().version();
  return settings;
}

int Voice::decoder_frames_per_hop() const {
  const int rate = spec.decoder().frame_rate();
  return rate == 0 ? 1 : rate / spec.features().frame_rate();
}

WeightShapes DecoderWeights(const v1::VoiceSpec& spec) {
  const v1::DecoderSpec& decoder = spec.decoder();
  const int64_t inputs = decoder.input_keys_size(), units = decoder.rnn_channels();
  const int64_t stacked = inputs * (decoder.layers_per_stack() > 0 ? decoder.channels() : 1);
  const int64_t last = decoder.layers_per_stack() > 0 ? decoder.channels() : stacked + units;
  int64_t outputs = 0;
  for (const auto& split : decoder.output_splits()) outputs += split.size();
  WeightShapes weights;
  for (int i = 0; i < inputs; ++i) AddStack(decoder, absl::StrCat("decoder/input_stacks/", i), 1, &weights);
  weights.push_back({"decoder/rnn/rnn/cell/kernel", {stacked, 3 * units}});
  weights.push_back({"decoder/rnn/rnn/cell/recurrent_kernel", {units, 3 * units}});
  weights.push_back({"decoder/rnn/rnn/cell/bias", {2, 3 * units}});
  AddStack(decoder, "decoder/out_stack", stacked + units, &weights);
  weights.push_back({"decoder/dense_out/kernel", {last, outputs}});
  weights.push_back({"decoder/dense_out/bias", {outputs}});
  return weights;
}

std::vector<std::string> ValidateVoice(const Voice& voice) {
  std::vector<std::string> problems;
  const v1::VoiceSpec& spec = voice.spec;
  Require(IsVoiceName(spec.name()), absl::StrCat("name '", spec.name(), "' is not [a-z][a-z0-9-]{0,62}"), &problems);
  const absl::Status features = ValidateFeatureSettings(voice.feature_settings());
  Require(features.ok(), absl::StrCat("features: ", features.message()), &problems);
  Require(spec.sample_rate_hz() >= kMinSampleRate && spec.sample_rate_hz() <= kMaxSampleRate,
          absl::StrCat("sample_rate_hz ", spec.sample_rate_hz(), " is outside ", kMinSampleRate, "..", kMaxSampleRate),
          &problems);
  Require(spec.features().frame_rate() > 0 &&
              int64_t{spec.hop_size()} * spec.features().frame_rate() == spec.sample_rate_hz(),
          absl::StrCat("hop_size ", spec.hop_size(), " does not fit ", spec.features().frame_rate(),
                       " frames per second at ", spec.sample_rate_hz(), " Hz"),
          &problems);
  Require(spec.graph().nodes_size() > 0, "graph has no nodes", &problems);
  ValidateDecoder(spec.decoder(), &problems);
  ValidateFrameRate(spec, &problems);
  if (problems.empty()) ValidateWeights(voice, &problems);
  return problems;
}

}  // namespace ddsp
