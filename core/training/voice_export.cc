#include "core/training/voice_export.h"

#include <torch/torch.h>

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/streaming/voice_loader.h"
#include "core/training/seed.h"

namespace ddsp::training {
namespace {

v1::GraphSpec::Node* AddNode(const char* name, const char* type, std::vector<std::string> inputs,
                             v1::GraphSpec* graph) {
  v1::GraphSpec::Node* node = graph->add_nodes();
  node->set_name(name);
  node->set_type(type);
  for (std::string& input : inputs) node->add_inputs(std::move(input));
  return node;
}

void AddGraph(const VoiceShape& shape, v1::GraphSpec* graph) {
  const bool vst = shape.recipe == Recipe::kVst;
  auto* harmonic = AddNode("harmonic", "Harmonic", {"amps", "harmonic_distribution", "f0_hz"}, graph);
  (*harmonic->mutable_texts())["amp_resample_method"] = vst ? "linear" : "window";
  auto* noise = AddNode("filtered_noise", "FilteredNoise", {"noise_magnitudes"}, graph);
  (*noise->mutable_numbers())["window_size"] = 0;
  (*noise->mutable_numbers())["initial_bias"] = shape.noise_bias;
  AddNode("add", "Add", {"filtered_noise/signal", "harmonic/signal"}, graph);
  auto* reverb = AddNode("reverb", vst ? "FilteredNoiseReverb" : "Reverb", {"add/signal"}, graph);
  (*reverb->mutable_numbers())["reverb_length"] = static_cast<double>(shape.reverb_length);
  if (!vst) return;
  auto* crop = AddNode("crop", "Crop", {"reverb/signal"}, graph);
  (*crop->mutable_numbers())["frame_size"] = static_cast<double>(shape.hop);
  (*crop->mutable_texts())["crop_location"] = "back";
}

Weight ToWeight(const at::Tensor& tensor, std::vector<int64_t> shape) {
  const at::Tensor values = tensor.detach().contiguous();
  const float* data = values.data_ptr<float>();
  return {std::move(shape), std::vector<float>(data, data + values.numel())};
}

// One draw, as upstream would make at every call.
at::Tensor FreezeReverb(const VoiceShape& shape, const Parameters& weights, uint64_t seed) {
  const at::NoGradGuard no_gradients;
  const VoiceNoise noise = DrawNoise(shape, DeriveSeed(seed, "frozen reverb", 0), 0, 0, 1, 1);
  return ReverbImpulseResponse(shape, weights, noise.reverb);
}

}  // namespace

v1::VoiceSpec MakeVoiceSpec(const VoiceShape& shape, const FeatureSettings& settings, const MaterialProfile& material,
                            const VoiceLabel& label) {
  v1::VoiceSpec spec;
  spec.set_name(label.name);
  spec.set_description(label.description);
  spec.set_recipe(NameOf(shape));
  spec.set_licence(label.licence);
  spec.set_attribution(label.attribution);
  spec.set_sample_rate_hz(static_cast<int32_t>(shape.sample_rate));
  spec.set_hop_size(static_cast<int32_t>(shape.sample_rate / settings.frame_rate));
  v1::FeatureSpec* features = spec.mutable_features();
  features->set_version(settings.version);
  features->set_frame_rate(settings.frame_rate);
  features->set_power_frame_size(settings.power_frame_size);
  features->set_loudness_fft_size(settings.loudness_fft_size);
  features->set_f0_min_hz(settings.min_f0_hz);
  features->set_f0_max_hz(settings.max_f0_hz);
  v1::DecoderSpec* decoder = spec.mutable_decoder();
  decoder->set_rnn_channels(static_cast<int32_t>(shape.rnn_channels));
  decoder->set_channels(static_cast<int32_t>(shape.channels));
  decoder->set_layers_per_stack(static_cast<int32_t>(shape.layers_per_stack));
  decoder->add_input_keys(shape.recipe == Recipe::kVst ? "pw_scaled" : "ld_scaled");
  decoder->add_input_keys("f0_scaled");
  const int frame_rate = static_cast<int>(shape.sample_rate / shape.hop);
  if (frame_rate != settings.frame_rate) decoder->set_frame_rate(frame_rate);
  const auto add_split = [&](const char* name, int64_t size) {
    auto* split = decoder->add_output_splits();
    split->set_name(name);
    split->set_size(static_cast<int32_t>(size));
  };
  add_split("amps", 1);
  add_split("harmonic_distribution", shape.harmonics);
  add_split("noise_magnitudes", shape.noise_bands);
  AddGraph(shape, spec.mutable_graph());
  v1::VoiceProfile* profile = spec.mutable_profile();
  for (const float quantile : material.profile.power_quantiles_db) profile->add_power_quantiles_db(quantile);
  profile->set_mean_pitch_midi(material.profile.mean_pitch_midi);
  profile->set_min_pitch_midi(material.min_pitch_midi);
  profile->set_max_pitch_midi(material.max_pitch_midi);
  // Processors differ in how they round; a wrong weight is off by far more.
  spec.set_golden_tolerance(1e-3);
  return spec;
}

absl::StatusOr<Voice> MakeVoice(const VoiceShape& shape, const Parameters& weights, const FeatureSettings& settings,
                                const MaterialProfile& material, const ExportOptions& options,
                                std::vector<float> golden_input) {
  auto voice = std::make_shared<Voice>();
  voice->spec = MakeVoiceSpec(shape, settings, material, options.label);
  voice->version = options.label.version;
  for (const auto& [name, value] : weights) {
    if (name != ReverbParameter(shape.recipe)) voice->weights[name] = ToWeight(value, value.sizes().vec());
  }
  voice->weights["reverb/ir"] = ToWeight(FreezeReverb(shape, weights, options.seed), {shape.reverb_length});
  RoundWeights(options.storage, &voice->weights);
  RETURN_IF_ERROR(CompleteVoice(std::move(golden_input), options.seed, voice));
  return *voice;
}

}  // namespace ddsp::training
