#include <algorithm>

#include "core/processors/frame_upsampler.h"
#include "core/processors/harmonic_bank_function.h"
#include "core/processors/synths.h"

namespace ddsp {
namespace {

using at::Tensor;

Signature HarmonicSignature() {
  return {{{"amplitudes", PortRate::kFrames, 1},
           {"harmonic_distribution", PortRate::kFrames, kAnyChannels},
           {"f0_hz", PortRate::kFrames, 1}},
          {"amplitudes", "harmonic_distribution", "f0_hz"}};
}

NamedTensors Scaled(const HarmonicOptions& options, const NamedTensors& inputs) {
  const Tensor& f0_hz = inputs.at("f0_hz");
  const Tensor distribution = ApplyScale(options.scale_fn, inputs.at("harmonic_distribution"));
  const bool remove = options.above_nyquist == AboveNyquist::kRemove;
  return {{"amplitudes", ApplyScale(options.scale_fn, inputs.at("amplitudes"))},
          {"harmonic_distribution",
           remove ? NormalizeHarmonics(distribution, f0_hz, options.sample_rate) : NormalizeHarmonics(distribution)},
          {"f0_hz", f0_hz}};
}

HarmonicControls ControlsOf(const NamedTensors& controls) {
  HarmonicControls harmonic;
  harmonic.frequencies = controls.at("f0_hz");
  harmonic.amplitudes = controls.at("amplitudes");
  harmonic.harmonic_distribution = controls.at("harmonic_distribution");
  return harmonic;
}

HarmonicSynthesisOptions Synthesis(const HarmonicOptions& options, PhaseAccumulation accumulation) {
  return {options.n_samples, options.sample_rate, options.amp_resample_method, accumulation};
}

int64_t Lookahead(const HarmonicOptions& options) {
  return std::max(LookaheadFrames(Interpolation::kLinear), LookaheadFrames(options.amp_resample_method));
}

}  // namespace

Harmonic::Harmonic(const Options& options, std::string name)
    : StreamingProcessor(std::move(name), HarmonicSignature()), options_(options) {}

NamedTensors Harmonic::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  return Scaled(options_, inputs);
}

at::Tensor Harmonic::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  const HarmonicControls harmonic = ControlsOf(controls);
  const HarmonicSynthesisOptions options = Synthesis(options_, PhaseAccumulation::kExact);
  return CanFuseHarmonicSynthesis(harmonic, options) ? FusedHarmonicSynthesis(harmonic, options)
                                                     : HarmonicSynthesis(harmonic, options);
}

// Whole hops, as soon as their frames are there.
class Harmonic::Stream : public ProcessorState {
 public:
  Stream(const HarmonicOptions& options, const StreamLayout& layout)
      : options_(options),
        amplitudes_(options.amp_resample_method, layout.hop, Lookahead(options)),
        f0_hz_(Interpolation::kLinear, layout.hop, Lookahead(options)),
        phase_(at::zeros({layout.batch, 1, 1}, at::kDouble)) {}

 private:
  Tensor Advance(const StreamBlock& block, int64_t) override {
    if (block.inputs.at("f0_hz").size(1) == 0) return {};
    const NamedTensors controls = Scaled(options_, block.inputs);
    return Sound(amplitudes_.Push(controls.at("amplitudes") * controls.at("harmonic_distribution")),
                 f0_hz_.Push(controls.at("f0_hz")));
  }
  Tensor Drain() override { return Sound(amplitudes_.Drain(), f0_hz_.Drain()); }

  Tensor Sound(const Tensor& amplitudes, const Tensor& f0_hz) {
    if (!f0_hz.defined() || f0_hz.size(1) == 0) return {};
    const Tensor harmonics = GetHarmonicFrequencies(f0_hz, amplitudes.size(2));
    const ContinuedAudio sound =
        HarmonicOscillatorBank(f0_hz.to(at::kDouble), RemoveAboveNyquist(harmonics, amplitudes, options_.sample_rate),
                               phase_, {options_.sample_rate, PhaseAccumulation::kExact});
    phase_ = sound.final_phase;
    return sound.audio;
  }

  const HarmonicOptions& options_;
  FrameUpsampler amplitudes_, f0_hz_;
  Tensor phase_;  // [batch, 1, 1], radians, double
};

int64_t Harmonic::Latency(const StreamLayout& layout) const { return Lookahead(options_) * layout.hop; }

std::unique_ptr<ProcessorState> Harmonic::NewState(const Start& start) const {
  return std::make_unique<Stream>(options_, start.layout);
}

FloatPhaseHarmonic::FloatPhaseHarmonic(const HarmonicOptions& options, PhaseAccumulation accumulation, std::string name)
    : Processor(std::move(name), HarmonicSignature()), options_(options), accumulation_(accumulation) {}

NamedTensors FloatPhaseHarmonic::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  return Scaled(options_, inputs);
}

at::Tensor FloatPhaseHarmonic::SignalFrom(const NamedTensors& controls, const ProcessorContext&) const {
  return HarmonicSynthesis(ControlsOf(controls), Synthesis(options_, accumulation_));
}

}  // namespace ddsp
