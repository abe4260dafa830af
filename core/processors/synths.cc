#include "core/processors/synths.h"

#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"
#include "core/dsp/filter_design.h"
#include "core/dsp/wavetable.h"
#include "core/processors/harmonic_bank_function.h"

namespace ddsp {

using at::Tensor;
using Names = std::vector<std::string>;

const std::vector<Port>& TensorToAudio::inputs() const {
  static const auto* const kPorts = new std::vector<Port>{{"samples"}};
  return *kPorts;
}

const Names& TensorToAudio::controls() const {
  static const auto* const kNames = new Names{"samples"};
  return *kNames;
}

NamedTensors TensorToAudio::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  return {{"samples", inputs.at("samples")}};
}

at::Tensor TensorToAudio::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  const Tensor& samples = controls.at("samples");
  DDSP_CHECK_ARGUMENT(samples.dim() == 3 && samples.size(2) == 1, "samples has shape ", samples.sizes(),
                      ", expected [batch, time, 1]");
  return samples.squeeze(2);
}

const std::vector<Port>& Harmonic::inputs() const {
  static const auto* const kPorts = new std::vector<Port>{{"amplitudes"}, {"harmonic_distribution"}, {"f0_hz"}};
  return *kPorts;
}

const Names& Harmonic::controls() const {
  static const auto* const kNames = new Names{"amplitudes", "harmonic_distribution", "f0_hz"};
  return *kNames;
}

NamedTensors Harmonic::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  const Tensor& f0_hz = inputs.at("f0_hz");
  const Tensor distribution = ApplyScale(options_.scale_fn, inputs.at("harmonic_distribution"));
  const bool remove = options_.above_nyquist == AboveNyquist::kRemove;
  return {{"amplitudes", ApplyScale(options_.scale_fn, inputs.at("amplitudes"))},
          {"harmonic_distribution",
           remove ? NormalizeHarmonics(distribution, f0_hz, options_.sample_rate) : NormalizeHarmonics(distribution)},
          {"f0_hz", f0_hz}};
}

at::Tensor Harmonic::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  HarmonicControls harmonic;
  harmonic.frequencies = controls.at("f0_hz");
  harmonic.amplitudes = controls.at("amplitudes");
  harmonic.harmonic_distribution = controls.at("harmonic_distribution");
  const HarmonicSynthesisOptions options = {options_.n_samples, options_.sample_rate, options_.amp_resample_method,
                                            options_.accumulation};
  return CanFuseHarmonicSynthesis(harmonic, options) ? FusedHarmonicSynthesis(harmonic, options)
                                                     : HarmonicSynthesis(harmonic, options);
}

const std::vector<Port>& FilteredNoise::inputs() const {
  static const auto* const kPorts = new std::vector<Port>{{"magnitudes"}};
  return *kPorts;
}

const Names& FilteredNoise::controls() const {
  static const auto* const kNames = new Names{"magnitudes"};
  return *kNames;
}

NamedTensors FilteredNoise::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  const Tensor& magnitudes = inputs.at("magnitudes");
  if (options_.scale_fn == ScaleFn::kNone) return {{"magnitudes", magnitudes}};
  return {{"magnitudes", ApplyScale(options_.scale_fn, magnitudes + options_.initial_bias)}};
}

at::Tensor FilteredNoise::SignalFrom(const NamedTensors& controls, const ProcessorContext& context) const {
  const Tensor& magnitudes = controls.at("magnitudes");
  const Tensor noise =
      UniformNoise(context, {magnitudes.size(0), options_.n_samples}, magnitudes.options().requires_grad(false));
  return FrequencyFilter(noise, magnitudes, options_.window_size);
}

const std::vector<Port>& Wavetable::inputs() const {
  static const auto* const kPorts = new std::vector<Port>{{"amplitudes"}, {"wavetables"}, {"f0_hz"}};
  return *kPorts;
}

const Names& Wavetable::controls() const {
  static const auto* const kNames = new Names{"amplitudes", "wavetables", "f0_hz"};
  return *kNames;
}

NamedTensors Wavetable::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  return {{"amplitudes", ApplyScale(options_.scale_fn, inputs.at("amplitudes"))},
          {"wavetables", ApplyScale(options_.scale_fn, inputs.at("wavetables"))},
          {"f0_hz", inputs.at("f0_hz")}};
}

at::Tensor Wavetable::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  return WavetableSynthesis(controls.at("f0_hz"), controls.at("amplitudes"), controls.at("wavetables"),
                            {options_.n_samples, options_.sample_rate});
}

absl::StatusOr<FrequencyScale> ParseFrequencyScale(const std::string& name) {
  if (name.empty()) return FrequencyScale::kNone;
  if (name == "core.frequencies_sigmoid") return FrequencyScale::kSigmoid;
  if (name == "core.frequencies_softmax") return FrequencyScale::kSoftmax;
  if (name == "core.frequencies_critical_bands") return FrequencyScale::kCriticalBands;
  return absl::InvalidArgumentError(absl::StrCat("freq_scale_fn is '", name,
                                                 "', expected core.frequencies_sigmoid, core.frequencies_softmax, "
                                                 "core.frequencies_critical_bands or none"));
}

const std::vector<Port>& Sinusoidal::inputs() const {
  static const auto* const kPorts = new std::vector<Port>{{"amplitudes"}, {"frequencies"}};
  return *kPorts;
}

const Names& Sinusoidal::controls() const {
  static const auto* const kNames = new Names{"amplitudes", "frequencies"};
  return *kNames;
}

NamedTensors Sinusoidal::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  Tensor amplitudes = ApplyScale(options_.amp_scale_fn, inputs.at("amplitudes"));
  Tensor frequencies = inputs.at("frequencies");
  switch (options_.freq_scale_fn) {
    case FrequencyScale::kNone:
      return {{"amplitudes", amplitudes}, {"frequencies", frequencies}};
    case FrequencyScale::kSigmoid:
      frequencies = FrequenciesSigmoid(frequencies);
      break;
    case FrequencyScale::kSoftmax:
      frequencies = FrequenciesSoftmax(frequencies);
      break;
    case FrequencyScale::kCriticalBands:
      frequencies = FrequenciesCriticalBands(frequencies);
      break;
  }
  amplitudes = RemoveAboveNyquist(frequencies, amplitudes, options_.sample_rate);
  return {{"amplitudes", amplitudes}, {"frequencies", frequencies}};
}

at::Tensor Sinusoidal::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  const Tensor amplitudes = Resample(controls.at("amplitudes"), options_.n_samples, options_.amp_resample_method);
  const Tensor frequencies = Resample(controls.at("frequencies"), options_.n_samples);
  return OscillatorBank(frequencies, amplitudes, {options_.sample_rate, options_.accumulation});
}

}  // namespace ddsp
