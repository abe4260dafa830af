#include "core/processors/effects.h"

#include "core/dsp/argument.h"
#include "core/dsp/convolution.h"
#include "core/dsp/filter_design.h"

namespace ddsp {

using at::Tensor;
using Names = std::vector<std::string>;

namespace {

void CheckAudio(const Tensor& audio) {
  DDSP_CHECK_ARGUMENT(audio.dim() == 2, "audio has shape ", audio.sizes(), ", expected [batch, samples]");
}

// [taps], [batch, taps] or [batch, taps, 1] as [batch, taps].
Tensor Flat(const Tensor& ir) {
  if (ir.dim() == 1) return ir.unsqueeze(0);
  if (ir.dim() == 3 && ir.size(2) == 1) return ir.squeeze(2);
  DDSP_CHECK_ARGUMENT(ir.dim() == 2, "ir has shape ", ir.sizes(),
                      ", expected [taps], [batch, taps] or [batch, taps, 1]");
  return ir;
}

}  // namespace

const std::vector<Port>& Reverb::inputs() const {
  static const auto* const kGiven = new std::vector<Port>{{"audio"}, {"ir"}};
  static const auto* const kTrained = new std::vector<Port>{{"audio"}, {"ir", false}};
  return options_.source == ReverbSource::kInputs ? *kGiven : *kTrained;
}

const Names& Reverb::controls() const {
  static const auto* const kNames = new Names{"audio", "ir"};
  return *kNames;
}

std::vector<ParameterSpec> Reverb::parameters() const {
  if (options_.source == ReverbSource::kInputs) return {};
  return {{"ir", {options_.reverb_length}, 0.0, 1e-6}};
}

NamedTensors Reverb::ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const {
  const Tensor& audio = inputs.at("audio");
  CheckAudio(audio);
  if (options_.source == ReverbSource::kInputs) return {{"audio", audio}, {"ir", inputs.at("ir")}};
  return {{"audio", audio}, {"ir", MatchBatch(audio, context.parameters.at("ir"))}};
}

at::Tensor Reverb::MatchBatch(const Tensor& audio, const Tensor& ir) {
  const Tensor flat = Flat(ir);
  return flat.size(0) == 1 ? flat.expand({audio.size(0), -1}) : flat;
}

at::Tensor Reverb::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  const Tensor& audio = controls.at("audio");
  CheckAudio(audio);
  Tensor ir = Flat(controls.at("ir"));
  if (ir.size(0) > 1 && ir.stride(0) == 0) ir = ir.narrow(0, 0, 1);  // one response, transformed once
  ir = at::cat({at::zeros_like(ir.narrow(1, 0, 1)), ir.narrow(1, 1, ir.size(1) - 1)}, 1);
  const Tensor wet = FftConvolve(audio, ir, {ConvolutionPadding::kSame, 0});
  return options_.dry == DrySignal::kAdd ? wet + audio : wet;
}

const std::vector<Port>& ExpDecayReverb::inputs() const {
  static const auto* const kGiven = new std::vector<Port>{{"audio"}, {"gain"}, {"decay"}};
  static const auto* const kTrained = new std::vector<Port>{{"audio"}, {"gain", false}, {"decay", false}};
  return options_.source == ReverbSource::kInputs ? *kGiven : *kTrained;
}

std::vector<ParameterSpec> ExpDecayReverb::parameters() const {
  if (options_.source == ReverbSource::kInputs) return {};
  return {{"gain", {1}, 2.0, 0.0}, {"decay", {1}, 4.0, 0.0}};
}

NamedTensors ExpDecayReverb::ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const {
  const Tensor& audio = inputs.at("audio");
  CheckAudio(audio);
  const bool given = options_.source == ReverbSource::kInputs;
  const Tensor gain = given ? inputs.at("gain") : context.parameters.at("gain").unsqueeze(0);
  const Tensor decay = given ? inputs.at("decay") : context.parameters.at("decay").unsqueeze(0);
  const at::TensorOptions plain = audio.options().requires_grad(false);
  const Tensor noise = UniformNoise(context, {1, options_.reverb_length}, plain);
  const Tensor time = at::linspace(0, 1, options_.reverb_length, plain).unsqueeze(0);
  const Tensor ir = ApplyScale(scale_fn_, gain) * at::exp(-(2 + at::exp(decay)) * time) * noise;
  return {{"audio", audio}, {"ir", given ? ir : MatchBatch(audio, ir)}};
}

FilteredNoiseReverb::FilteredNoiseReverb(const Options& options, const NoiseOptions& noise, std::string name)
    : Reverb(options, std::move(name)),
      noise_(noise),
      synth_({options.reverb_length, noise.window_size, noise.scale_fn, noise.initial_bias}) {}

const std::vector<Port>& FilteredNoiseReverb::inputs() const {
  static const auto* const kGiven = new std::vector<Port>{{"audio"}, {"magnitudes"}};
  static const auto* const kTrained = new std::vector<Port>{{"audio"}, {"magnitudes", false}};
  return options_.source == ReverbSource::kInputs ? *kGiven : *kTrained;
}

std::vector<ParameterSpec> FilteredNoiseReverb::parameters() const {
  if (options_.source == ReverbSource::kInputs) return {};
  return {{"magnitudes", {noise_.n_frames, noise_.n_filter_banks}, 0.0, 1e-2}};
}

NamedTensors FilteredNoiseReverb::ControlsFrom(const NamedTensors& inputs, const ProcessorContext& context) const {
  const Tensor& audio = inputs.at("audio");
  CheckAudio(audio);
  const bool given = options_.source == ReverbSource::kInputs;
  const Tensor magnitudes = given ? inputs.at("magnitudes") : context.parameters.at("magnitudes").unsqueeze(0);
  auto synthesized = synth_.Run({{"magnitudes", magnitudes}}, context);
  DDSP_CHECK_ARGUMENT(synthesized.ok(), "impulse response: ", std::string(synthesized.status().message()));
  return {{"audio", audio}, {"ir", given ? synthesized->signal : MatchBatch(audio, synthesized->signal)}};
}

const std::vector<Port>& FirFilter::inputs() const {
  static const auto* const kPorts = new std::vector<Port>{{"audio"}, {"magnitudes"}};
  return *kPorts;
}

const Names& FirFilter::controls() const {
  static const auto* const kNames = new Names{"audio", "magnitudes"};
  return *kNames;
}

NamedTensors FirFilter::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  return {{"audio", inputs.at("audio")}, {"magnitudes", ApplyScale(options_.scale_fn, inputs.at("magnitudes"))}};
}

at::Tensor FirFilter::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  return FrequencyFilter(controls.at("audio"), controls.at("magnitudes"), options_.window_size);
}

const std::vector<Port>& ModDelay::inputs() const {
  static const auto* const kPorts = new std::vector<Port>{{"audio"}, {"gain"}, {"phase"}};
  return *kPorts;
}

const Names& ModDelay::controls() const {
  static const auto* const kNames = new Names{"audio", "gain", "phase"};
  return *kNames;
}

NamedTensors ModDelay::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  return {{"audio", inputs.at("audio")},
          {"gain", ApplyScale(options_.gain_scale_fn, inputs.at("gain"))},
          {"phase", ApplyScale(options_.phase_scale_fn, inputs.at("phase"))}};
}

at::Tensor ModDelay::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  const Tensor& audio = controls.at("audio");
  Tensor gain = controls.at("gain");
  const double longest_ms = options_.center_ms + options_.depth_ms;
  DDSP_CHECK_ARGUMENT(longest_ms > 0, "center_ms + depth_ms is ", longest_ms, ", expected a positive number");
  const int64_t max_length = static_cast<int64_t>(options_.sample_rate / 1000.0 * longest_ms);
  const Tensor phase = controls.at("phase") * (options_.depth_ms / longest_ms) + options_.center_ms / longest_ms;
  if (gain.dim() == 3) gain = gain.squeeze(2);
  const Tensor wet = VariableLengthDelay(phase, audio, max_length, options_.end) * gain;
  return options_.dry == DrySignal::kAdd ? wet + audio : wet;
}

}  // namespace ddsp
