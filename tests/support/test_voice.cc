#include "tests/support/test_voice.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/kernels/noise.h"
#include "core/streaming/voice_loader.h"

namespace ddsp::testing {
namespace {

class RandomWeights {
 public:
  RandomWeights(Voice* voice, uint64_t seed) : voice_(voice), random_(seed) {}

  // Uniform in +-scale about `centre`.
  void Add(const std::string& name, std::vector<int64_t> shape, double scale, double centre = 0) {
    int64_t size = 1;
    for (const int64_t n : shape) size *= n;
    Weight& weight = voice_->weights[name];
    weight.shape = std::move(shape);
    for (int64_t i = 0; i < size; ++i) {
      // Not std::uniform_real_distribution, whose numbers the standard leaves open.
      weight.values.push_back(static_cast<float>(centre + scale * (random_() / 2147483648.0 - 1)));
    }
  }

  void AddStack(const std::string& path, int64_t inputs, const TestVoiceOptions& options) {
    for (int i = 0; i < options.layers_per_stack; ++i) {
      const std::string at = absl::StrCat(path, "/layer_with_weights-", i, "/layer_with_weights-");
      const int64_t from = i == 0 ? inputs : options.channels;
      Add(at + "0/kernel", {from, options.channels}, std::sqrt(6.0 / (from + options.channels)));
      Add(at + "0/bias", {options.channels}, 0.1);
      Add(at + "1/gamma", {options.channels}, 0.2, 1);
      Add(at + "1/beta", {options.channels}, 0.2);
    }
  }

 private:
  Voice* voice_;
  std::mt19937 random_;
};

v1::GraphSpec::Node* AddNode(v1::VoiceSpec* spec, const std::string& name, const std::string& type,
                             std::initializer_list<const char*> inputs) {
  v1::GraphSpec::Node* node = spec->mutable_graph()->add_nodes();
  node->set_name(name);
  node->set_type(type);
  for (const char* input : inputs) node->add_inputs(input);
  return node;
}

void AddGraph(const TestVoiceOptions& options, v1::VoiceSpec* spec) {
  (*AddNode(spec, "harmonic", "Harmonic", {"amps", "harmonic_distribution", "f0_hz"})
        ->mutable_texts())["amp_resample_method"] = options.amp_resample_method;
  std::string last = "harmonic/signal";
  if (options.filtered_noise) {
    (*AddNode(spec, "filtered_noise", "FilteredNoise", {"noise_magnitudes"})->mutable_numbers())["window_size"] = 0;
    AddNode(spec, "add", "Add", {"filtered_noise/signal", "harmonic/signal"});
    last = "add/signal";
  }
  if (options.reverb_length > 0) AddNode(spec, "reverb", "FilteredNoiseReverb", {last.c_str()});
}

v1::VoiceSpec MakeSpec(const TestVoiceOptions& options) {
  v1::VoiceSpec spec;
  spec.set_name(options.name);
  spec.set_recipe("vst");
  const FeatureSettings settings;
  spec.set_sample_rate_hz(options.sample_rate);
  spec.set_hop_size(options.sample_rate / settings.frame_rate);
  spec.mutable_features()->set_version(settings.version);
  spec.mutable_features()->set_frame_rate(settings.frame_rate);
  spec.mutable_features()->set_power_frame_size(settings.power_frame_size);
  spec.mutable_features()->set_loudness_fft_size(settings.loudness_fft_size);
  spec.mutable_features()->set_f0_min_hz(settings.min_f0_hz);
  spec.mutable_features()->set_f0_max_hz(settings.max_f0_hz);
  v1::DecoderSpec* decoder = spec.mutable_decoder();
  decoder->set_rnn_channels(options.rnn_channels);
  decoder->set_channels(options.channels);
  decoder->set_layers_per_stack(options.layers_per_stack);
  decoder->set_frame_rate(options.decoder_frame_rate);
  decoder->set_arithmetic(options.arithmetic);
  decoder->add_input_keys(options.level);
  decoder->add_input_keys("f0_scaled");
  const auto split = [&](const char* name, int size) {
    auto* added = decoder->add_output_splits();
    added->set_name(name);
    added->set_size(size);
  };
  split("amps", 1);
  split("harmonic_distribution", options.harmonics);
  split("noise_magnitudes", options.noise_bands);
  AddGraph(options, &spec);
  for (int i = 0; i < 11; ++i) spec.mutable_profile()->add_power_quantiles_db(-60.0f + 5 * i);
  spec.mutable_profile()->set_mean_pitch_midi(70);
  spec.set_golden_tolerance(1e-4);
  spec.set_latency_samples(832 * options.sample_rate / 16000);
  return spec;
}

}  // namespace

TestVoiceOptions SmallSolo() {
  TestVoiceOptions options;
  options.layers_per_stack = 3;
  options.decoder_frame_rate = 250;
  options.level = "ld_scaled";
  options.amp_resample_method = "window";
  return options;
}

Voice MakeTestVoice(const TestVoiceOptions& options) {
  Voice voice;
  voice.version = 1;
  voice.spec = MakeSpec(options);
  RandomWeights weights(&voice, options.seed);
  const int64_t units = options.rnn_channels;
  const int64_t stacked = 2 * (options.layers_per_stack > 0 ? options.channels : 1);
  const int64_t outputs = 1 + options.harmonics + options.noise_bands;
  const int64_t last = options.layers_per_stack > 0 ? options.channels : stacked + units;
  weights.AddStack("decoder/input_stacks/0", 1, options);
  weights.AddStack("decoder/input_stacks/1", 1, options);
  weights.Add("decoder/rnn/rnn/cell/kernel", {stacked, 3 * units}, std::sqrt(6.0 / (stacked + units)));
  weights.Add("decoder/rnn/rnn/cell/recurrent_kernel", {units, 3 * units}, std::sqrt(3.0 / units));
  weights.Add("decoder/rnn/rnn/cell/bias", {2, 3 * units}, 0.1);
  weights.AddStack("decoder/out_stack", stacked + units, options);
  weights.Add("decoder/dense_out/kernel", {last, outputs}, std::sqrt(6.0 / (last + outputs)));
  weights.Add("decoder/dense_out/bias", {outputs}, 0.5);
  if (options.reverb_length > 0) weights.Add("reverb/ir", {options.reverb_length}, 0.01);
  DDSP_CHECK(ValidateVoice(voice).empty(), "the test voice is valid");
  return voice;
}

std::shared_ptr<const Voice> MakeGoldenVoice(const TestVoiceOptions& options) {
  auto voice = std::make_shared<Voice>(MakeTestVoice(options));
  RoundWeights(WeightStorage::kFloat16, &voice->weights);
  const std::vector<float> input = TestMelody(8000);
  const auto output = RenderGolden(voice, input, 7);
  DDSP_CHECK(output.ok(), "the test voice renders");
  voice->golden = {input, *output, 7};
  return voice;
}

std::string WriteTestBundle(const std::string& repository, const TestVoiceOptions& options, int64_t version) {
  const std::string directory = absl::StrCat(repository, "/", options.name, "/", version);
  DDSP_CHECK(WriteBundle(directory, *MakeGoldenVoice(options), WeightStorage::kFloat16).ok(),
             "the test bundle is written");
  return directory;
}

std::vector<float> TestMelody(int64_t samples, int sample_rate, uint64_t seed) {
  std::vector<float> audio(samples), noise(samples);
  kernels::UniformNoise(seed, 0, absl::MakeSpan(noise));
  double cycles = 0;
  for (int64_t n = 0; n < samples; ++n) {
    const double t = static_cast<double>(n) / sample_rate;
    cycles += (330 + 110 * std::sin(2 * M_PI * 0.7 * t)) / sample_rate;
    const double level = 0.15 * (1 + std::sin(2 * M_PI * 1.3 * t + static_cast<double>(seed)));
    const double tone =
        std::sin(2 * M_PI * cycles) + 0.5 * std::sin(4 * M_PI * cycles) + 0.25 * std::sin(6 * M_PI * cycles);
    audio[n] = static_cast<float>(level * tone / 1.75 + 0.002 * noise[n]);
  }
  return audio;
}

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "ddsp-test-XXXXXX").string();
  DDSP_CHECK(mkdtemp(name.data()) != nullptr, "a temporary directory can be made");
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

}  // namespace ddsp::testing
