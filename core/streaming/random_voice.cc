#include "core/streaming/random_voice.h"

#include <cmath>
#include <memory>
#include <numbers>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/models/text_proto.h"
#include "core/streaming/voice_loader.h"

namespace ddsp {
namespace {

struct Recipe {
  const char* name;
  const char* decoder;
  const char* amp_resample_method;
  const char* reverb;  // type of the node
  int reverb_length;
  int sample_rate = 16000;  // Hz
  int harmonics = 60, noise_bands = 65;
};

constexpr char kVstDecoder[] =
    "rnn_channels: 512 channels: 256 layers_per_stack: 1 input_keys: 'pw_scaled' input_keys: 'f0_scaled'";

constexpr Recipe kRecipes[] = {
    {"solo_instrument",
     "rnn_channels: 512 channels: 512 layers_per_stack: 3 input_keys: 'ld_scaled' input_keys: 'f0_scaled' "
     "frame_rate: 250",
     "window", "Reverb", 48000},
    {"tiny_instrument",
     "rnn_channels: 256 channels: 256 layers_per_stack: 0 input_keys: 'ld_scaled' input_keys: 'f0_scaled' "
     "frame_rate: 250",
     "window", "Reverb", 48000},
    {"vst", kVstDecoder, "linear", "FilteredNoiseReverb", 24000},
    {"vst_24k", kVstDecoder, "linear", "FilteredNoiseReverb", 36000, 24000, 100, 98},
    {"vst_48k", kVstDecoder, "linear", "FilteredNoiseReverb", 72000, 48000, 100, 98},
};

constexpr char kGraph[] = R"(
  nodes { name: "harmonic" type: "Harmonic" inputs: ["amps", "harmonic_distribution", "f0_hz"]
          texts { key: "amp_resample_method" value: "%s" } }
  nodes { name: "filtered_noise" type: "FilteredNoise" inputs: "noise_magnitudes"
          numbers { key: "window_size" value: 0 } numbers { key: "initial_bias" value: -5 } }
  nodes { name: "add" type: "Add" inputs: ["filtered_noise/signal", "harmonic/signal"] }
  nodes { name: "reverb" type: "%s" inputs: "add/signal" })";

v1::VoiceSpec SpecOf(const Recipe& recipe, const RandomVoiceOptions& options) {
  v1::VoiceSpec spec;
  spec.set_name(options.name);
  spec.set_description("random weights: for load, not for listening");
  spec.set_recipe(recipe.name);
  const FeatureSettings settings;
  spec.set_sample_rate_hz(recipe.sample_rate);
  spec.set_hop_size(recipe.sample_rate / settings.frame_rate);
  v1::FeatureSpec* features = spec.mutable_features();
  features->set_version(settings.version);
  features->set_frame_rate(settings.frame_rate);
  features->set_power_frame_size(settings.power_frame_size);
  features->set_loudness_fft_size(settings.loudness_fft_size);
  features->set_f0_min_hz(settings.min_f0_hz);
  features->set_f0_max_hz(settings.max_f0_hz);
  DDSP_CHECK(ParseTextProto(recipe.decoder, spec.mutable_decoder()).ok(), "the recipe's decoder parses");
  spec.mutable_decoder()->set_arithmetic(options.arithmetic);
  const auto split = [&](const char* name, int size) {
    auto* added = spec.mutable_decoder()->add_output_splits();
    added->set_name(name);
    added->set_size(size);
  };
  split("amps", 1);
  split("harmonic_distribution", options.harmonics > 0 ? options.harmonics : recipe.harmonics);
  split("noise_magnitudes", recipe.noise_bands);
  DDSP_CHECK(
      ParseTextProto(absl::StrFormat(kGraph, recipe.amp_resample_method, recipe.reverb), spec.mutable_graph()).ok(),
      "the recipe's graph parses");
  for (int i = 0; i < 11; ++i) spec.mutable_profile()->add_power_quantiles_db(-60.0f + 5 * i);
  spec.mutable_profile()->set_mean_pitch_midi(70);
  spec.set_golden_tolerance(1e-3);
  return spec;
}

// Not the standard library's distributions, whose numbers it leaves open.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  double Uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) / 9007199254740992.0; }  // (0, 1)
  double Normal() { return std::sqrt(-2 * std::log(Uniform())) * std::cos(2 * std::numbers::pi * Uniform()); }

 private:
  std::mt19937_64 engine_;
};

// Orthonormal rows, by Gram-Schmidt.
std::vector<float> Orthogonal(int64_t rows, int64_t columns, Random& random) {
  std::vector<double> q(rows * columns);
  for (double& x : q) x = random.Normal();
  const auto dot = [&](const double* a, const double* b) {
    double sum = 0;
    for (int64_t i = 0; i < columns; ++i) sum += a[i] * b[i];
    return sum;
  };
  for (int64_t r = 0; r < rows; ++r) {
    double* row = &q[r * columns];
    for (int64_t earlier = 0; earlier < r; ++earlier) {
      const double* other = &q[earlier * columns];
      const double share = dot(row, other);
      for (int64_t i = 0; i < columns; ++i) row[i] -= share * other[i];
    }
    const double norm = std::sqrt(dot(row, row));
    for (int64_t i = 0; i < columns; ++i) row[i] /= norm;
  }
  return {q.begin(), q.end()};
}

std::vector<float> InitialValues(const std::string& name, const std::vector<int64_t>& shape, Random& random) {
  if (absl::EndsWith(name, "/recurrent_kernel")) return Orthogonal(shape[0], shape[1], random);
  int64_t size = 1;
  for (const int64_t n : shape) size *= n;
  std::vector<float> values(size, absl::EndsWith(name, "/gamma") ? 1.0f : 0.0f);
  if (absl::EndsWith(name, "/kernel")) {
    const double limit = std::sqrt(6.0 / static_cast<double>(shape[0] + shape[1]));
    for (float& value : values) value = static_cast<float>(limit * (2 * random.Uniform() - 1));
  }
  return values;
}

// A room of 0.9 s (-60 dB), as loud at every rate.
std::vector<float> DecayingNoise(int length, int sample_rate, Random& random) {
  const double decay = sample_rate / 8.0, level = 0.02 * std::sqrt(16000.0 / sample_rate);
  std::vector<float> response(length);
  for (int n = 1; n < length; ++n) response[n] = static_cast<float>(level * random.Normal() * std::exp(-n / decay));
  return response;
}

// A second of a gliding, swelling tone.
std::vector<float> Glide(int sample_rate) {
  std::vector<float> audio(sample_rate);
  double phase = 0;
  for (int n = 0; n < sample_rate; ++n) {
    const double t = static_cast<double>(n) / sample_rate;
    phase += 2 * std::numbers::pi * (300 + 100 * std::sin(4 * t)) / sample_rate;
    audio[n] = static_cast<float>(0.15 * (1 + std::sin(9 * t)) * (std::sin(phase) + 0.5 * std::sin(2 * phase)));
  }
  return audio;
}

}  // namespace

std::vector<std::string> RandomVoiceRecipes() {
  std::vector<std::string> names;
  for (const Recipe& recipe : kRecipes) names.push_back(recipe.name);
  return names;
}

absl::StatusOr<Voice> MakeRandomVoice(const RandomVoiceOptions& options) {
  for (const Recipe& recipe : kRecipes) {
    if (options.recipe != recipe.name) continue;
    auto voice = std::make_shared<Voice>();
    voice->spec = SpecOf(recipe, options);
    voice->version = options.version;
    Random random(options.seed);
    for (const auto& [name, shape] : DecoderWeights(voice->spec)) {
      voice->weights[name] = {shape, InitialValues(name, shape, random)};
    }
    voice->weights["reverb/ir"] = {{recipe.reverb_length},
                                   DecayingNoise(recipe.reverb_length, recipe.sample_rate, random)};
    RoundWeights(WeightStorage::kFloat16, &voice->weights);
    RETURN_IF_ERROR(CompleteVoice(Glide(voice->spec.sample_rate_hz()), options.seed, voice));
    return *voice;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no recipe '", options.recipe, "'; there is: ", absl::StrJoin(RandomVoiceRecipes(), ", ")));
}

}  // namespace ddsp
