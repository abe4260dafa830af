#include <algorithm>
#include <numbers>

#include "absl/strings/str_cat.h"
#include "core/processors/frame_upsampler.h"
#include "core/processors/harmonic_bank_function.h"
#include "core/processors/synths.h"

namespace ddsp {
namespace {

using at::Tensor;

Signature SinusoidalSignature() {
  return {{{"amplitudes", PortRate::kFrames, kAnyChannels}, {"frequencies", PortRate::kFrames, kAnyChannels}},
          {"amplitudes", "frequencies"}};
}

Tensor ScaledFrequencies(FrequencyScale scale, const Tensor& frequencies) {
  switch (scale) {
    case FrequencyScale::kNone:
      break;
    case FrequencyScale::kSigmoid:
      return FrequenciesSigmoid(frequencies);
    case FrequencyScale::kSoftmax:
      return FrequenciesSoftmax(frequencies);
    case FrequencyScale::kCriticalBands:
      return FrequenciesCriticalBands(frequencies);
  }
  return frequencies;
}

NamedTensors Scaled(const SinusoidalOptions& options, const NamedTensors& inputs) {
  const Tensor amplitudes = ApplyScale(options.amp_scale_fn, inputs.at("amplitudes"));
  const Tensor frequencies = ScaledFrequencies(options.freq_scale_fn, inputs.at("frequencies"));
  const bool raw = options.freq_scale_fn == FrequencyScale::kNone;
  return {{"amplitudes", raw ? amplitudes : RemoveAboveNyquist(frequencies, amplitudes, options.sample_rate)},
          {"frequencies", frequencies}};
}

Tensor Sum(const SinusoidalOptions& options, PhaseAccumulation accumulation, const NamedTensors& controls) {
  const HarmonicSynthesisOptions synthesis = {options.n_samples, options.sample_rate, options.amp_resample_method,
                                              accumulation};
  if (CanFuseSinusoids(controls.at("frequencies"), controls.at("amplitudes"), synthesis)) {
    return FusedSinusoids(controls.at("frequencies"), controls.at("amplitudes"), synthesis);
  }
  return OscillatorBank(Resample(controls.at("frequencies"), options.n_samples),
                        Resample(controls.at("amplitudes"), options.n_samples, options.amp_resample_method),
                        {options.sample_rate, accumulation});
}

int64_t Lookahead(const SinusoidalOptions& options) {
  return std::max(LookaheadFrames(Interpolation::kLinear), LookaheadFrames(options.amp_resample_method));
}

}  // namespace

absl::StatusOr<FrequencyScale> ParseFrequencyScale(const std::string& name) {
  if (name.empty()) return FrequencyScale::kNone;
  if (name == "core.frequencies_sigmoid") return FrequencyScale::kSigmoid;
  if (name == "core.frequencies_softmax") return FrequencyScale::kSoftmax;
  if (name == "core.frequencies_critical_bands") return FrequencyScale::kCriticalBands;
  return absl::InvalidArgumentError(absl::StrCat("freq_scale_fn is '", name,
                                                 "', expected core.frequencies_sigmoid, core.frequencies_softmax, "
                                                 "core.frequencies_critical_bands or none"));
}

Sinusoidal::Sinusoidal(const Options& options, std::string name)
    : StreamingProcessor(std::move(name), SinusoidalSignature()), options_(options) {}

NamedTensors Sinusoidal::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  return Scaled(options_, inputs);
}

at::Tensor Sinusoidal::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  return Sum(options_, PhaseAccumulation::kExact, controls);
}

// Whole hops, as soon as their frames are there.
class Sinusoidal::Stream : public ProcessorState {
 public:
  Stream(const SinusoidalOptions& options, const StreamLayout& layout)
      : options_(options),
        amplitudes_(options.amp_resample_method, layout.hop, Lookahead(options)),
        frequencies_(Interpolation::kLinear, layout.hop, Lookahead(options)),
        phase_(at::zeros({layout.batch, 1, 1}, at::kDouble)) {}

 private:
  Tensor Advance(const StreamBlock& block, int64_t) override {
    if (block.inputs.at("frequencies").size(1) == 0) return {};
    const NamedTensors controls = Scaled(options_, block.inputs);
    return Sound(amplitudes_.Push(controls.at("amplitudes")), frequencies_.Push(controls.at("frequencies")));
  }
  Tensor Drain() override { return Sound(amplitudes_.Drain(), frequencies_.Drain()); }

  Tensor Sound(const Tensor& amplitudes, const Tensor& frequencies) {
    if (!frequencies.defined() || frequencies.size(1) == 0) return {};
    const Tensor cycles = at::cumsum(frequencies.to(at::kDouble) / options_.sample_rate, 1) + phase_;
    phase_ = at::remainder(cycles.narrow(1, cycles.size(1) - 1, 1), 1);
    const Tensor phase = at::remainder(cycles, 1) * (2 * std::numbers::pi);
    const Tensor audible = RemoveAboveNyquist(frequencies, amplitudes, options_.sample_rate);
    return (audible * at::sin(phase.to(audible.scalar_type()))).sum(-1);
  }

  const SinusoidalOptions& options_;
  FrameUpsampler amplitudes_, frequencies_;
  Tensor phase_;  // [batch, 1, sinusoids], cycles, double
};

int64_t Sinusoidal::Latency(const StreamLayout& layout) const { return Lookahead(options_) * layout.hop; }

std::unique_ptr<ProcessorState> Sinusoidal::NewState(const Start& start) const {
  return std::make_unique<Stream>(options_, start.layout);
}

FloatPhaseSinusoidal::FloatPhaseSinusoidal(const SinusoidalOptions& options, PhaseAccumulation accumulation,
                                           std::string name)
    : Processor(std::move(name), SinusoidalSignature()), options_(options), accumulation_(accumulation) {}

NamedTensors FloatPhaseSinusoidal::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  return Scaled(options_, inputs);
}

at::Tensor FloatPhaseSinusoidal::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  return Sum(options_, accumulation_, controls);
}

}  // namespace ddsp
