#include <algorithm>
#include <optional>
#include <vector>

#include "core/kernels/harmonic_bank.h"
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

// Linear and window amplitudes, hop by hop through the fused bank: equal to the whole call to the bit.
class FusedHarmonicStream : public ProcessorState {
 public:
  FusedHarmonicStream(const HarmonicOptions& options, const StreamLayout& layout)
      : options_(options), hop_(layout.hop), phases_(layout.batch) {}

  static bool Suits(const HarmonicOptions& options) {
    return options.amp_resample_method == Interpolation::kLinear ||
           options.amp_resample_method == Interpolation::kWindow;
  }

 private:
  Tensor Advance(const StreamBlock& block, int64_t) override {
    if (block.inputs.at("f0_hz").size(1) == 0) return {};
    const NamedTensors controls = Scaled(options_, block.inputs);
    return Sound(controls.at("f0_hz").squeeze(2), controls.at("amplitudes") * controls.at("harmonic_distribution"));
  }
  Tensor Drain() override { return last_f0_hz_.defined() ? Sound(last_f0_hz_, last_amplitudes_) : Tensor(); }

  // The hops from the last frame to each of these: f0 [batch, frames], amplitudes [batch, frames, harmonics].
  Tensor Sound(const Tensor& new_f0_hz, const Tensor& new_amplitudes) {
    const bool first = !last_f0_hz_.defined();
    const Tensor f0_hz = first ? new_f0_hz.contiguous() : at::cat({last_f0_hz_, new_f0_hz}, 1);
    const Tensor amplitudes = first ? new_amplitudes.contiguous() : at::cat({last_amplitudes_, new_amplitudes}, 1);
    const int64_t hops = f0_hz.size(1) - 1, harmonics = amplitudes.size(2);
    last_f0_hz_ = f0_hz.narrow(1, hops, 1);
    last_amplitudes_ = amplitudes.narrow(1, hops, 1);
    if (!bank_) bank_.emplace(BankOptions(harmonics));
    Tensor audio = at::empty({f0_hz.size(0), hops * hop_});
    float* out = audio.data_ptr<float>();
    for (size_t row = 0; row < phases_.size(); ++row) {
      const float* f0 = f0_hz.const_data_ptr<float>() + row * (hops + 1);
      const float* a = amplitudes.const_data_ptr<float>() + row * (hops + 1) * harmonics;
      for (int64_t h = 0; h < hops; ++h, ++f0, a += harmonics, out += hop_) {
        bank_->Hop({f0[0], a}, {f0[1], a + harmonics}, phases_[row], out);
      }
    }
    return audio;
  }

  kernels::HarmonicBank::Options BankOptions(int64_t harmonics) const {
    const bool linear = options_.amp_resample_method == Interpolation::kLinear;
    kernels::HarmonicBank::Options options;
    options.sample_rate_hz = options_.sample_rate;
    options.hop = static_cast<int>(hop_);
    options.harmonics = static_cast<int>(harmonics);
    options.ramp = linear ? kernels::AmplitudeRamp::kLinear : kernels::AmplitudeRamp::kHann;
    return options;
  }

  const HarmonicOptions& options_;
  const int64_t hop_;
  std::optional<kernels::HarmonicBank> bank_;  // from the first frame on, which says how many harmonics there are
  Tensor last_f0_hz_, last_amplitudes_;        // [batch, 1(, harmonics)]
  std::vector<double> phases_;                 // cycles, by row
};

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

// Other amplitudes: whole hops, as soon as their frames are there.
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
  if (FusedHarmonicStream::Suits(options_)) return std::make_unique<FusedHarmonicStream>(options_, start.layout);
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
