#include "core/dsp/oscillator.h"

#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <vector>

#include "core/dsp/argument.h"
#include "core/dsp/arrays.h"
#include "core/dsp/safe_math.h"

namespace ddsp {
namespace {

using at::Tensor;
constexpr double kTwoPi = 2.0 * M_PI;

void CheckEnvelope(const Tensor& x, const char* name) {
  DDSP_CHECK_ARGUMENT(x.dim() == 3, name, " has shape ", x.sizes(), ", expected [batch, time, channels]");
}

Tensor HarmonicNumbers(int64_t n_harmonics, const Tensor& like) {
  return at::arange(1, n_harmonics + 1, like.options().requires_grad(false));
}

// The running sum of float32 values in float32, one after the other as upstream adds them up. at::cumsum keeps its sum
// in double, which is nearer the truth and hence further from upstream, whose models were trained with these errors.
class FloatCumsum : public torch::autograd::Function<FloatCumsum> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, int64_t axis) {
    ctx->saved_data["axis"] = axis;
    const Tensor values = x.contiguous();
    Tensor sums = at::empty_like(values);
    const int64_t steps = values.size(axis);
    int64_t inner = 1;
    for (int64_t after = axis + 1; after < values.dim(); ++after) inner *= values.size(after);
    const float* in = values.const_data_ptr<float>();
    float* out = sums.data_ptr<float>();
    for (int64_t start = 0; start < values.numel(); start += steps * inner) {
      for (int64_t i = start; i < start + steps * inner; ++i)
        out[i] = i < start + inner ? in[i] : out[i - inner] + in[i];
    }
    return sums;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const int64_t axis = ctx->saved_data["axis"].toInt();
    return {at::cumsum(grads[0].flip(axis), axis).flip(axis), Tensor()};
  }
};

Tensor UpstreamCumsum(const Tensor& x, int64_t axis) {
  return x.scalar_type() == at::kFloat && x.numel() > 0 ? FloatCumsum::apply(x, axis) : at::cumsum(x, axis);
}

// sin of k times a phase [batch, samples, 1]. A double phase is wrapped after the multiplication, before it is rounded.
Tensor SinOfMultiples(const Tensor& phase, int64_t n_harmonics, at::ScalarType dtype) {
  const Tensor phases = phase * HarmonicNumbers(n_harmonics, phase);
  if (phase.scalar_type() == dtype) return at::sin(phases);
  return at::sin(at::remainder(phases, kTwoPi).to(dtype));
}

bool SharesOnePhase(const HarmonicControls& controls, const HarmonicSynthesisOptions& options) {
  return options.accumulation == PhaseAccumulation::kExact && !controls.harmonic_shifts.defined();
}

int64_t HarmonicsOf(const HarmonicControls& controls) {
  if (controls.harmonic_distribution.defined()) return controls.harmonic_distribution.size(-1);
  return controls.harmonic_shifts.defined() ? controls.harmonic_shifts.size(-1) : 1;
}

}  // namespace

at::Tensor AngularCumsum(const Tensor& angular_frequency, int64_t chunk_size) {
  DDSP_CHECK_ARGUMENT(angular_frequency.dim() >= 2, "angular_frequency has shape ", angular_frequency.sizes(),
                      ", expected [batch, time, ...]");
  DDSP_CHECK_ARGUMENT(chunk_size > 0, "chunk_size is ", chunk_size, ", expected a positive number");
  const int64_t n_time = angular_frequency.size(1);
  const int64_t chunks = (n_time + chunk_size - 1) / chunk_size;
  const Tensor padded = PadAxis(angular_frequency, 0, chunks * chunk_size - n_time, 1);
  Tensor phase = UpstreamCumsum(padded.unflatten(1, {chunks, chunk_size}), 2);
  const Tensor ends = at::remainder(phase.narrow(2, chunk_size - 1, 1), kTwoPi);
  const Tensor offsets = PadAxis(ends.narrow(1, 0, chunks - 1), 1, 0, 1);
  phase = phase + at::remainder(UpstreamCumsum(offsets, 1), kTwoPi);
  return at::remainder(phase, kTwoPi).flatten(1, 2).narrow(1, 0, n_time);
}

at::Tensor PhaseOf(const Tensor& frequency_hz, double sample_rate, PhaseAccumulation accumulation) {
  switch (accumulation) {
    case PhaseAccumulation::kExact: {
      const Tensor cycles = at::cumsum(frequency_hz.to(at::kDouble) / sample_rate, 1);
      return at::remainder(cycles, 1) * kTwoPi;
    }
    case PhaseAccumulation::kCumsum:
      return UpstreamCumsum(frequency_hz.to(at::kFloat) * kTwoPi / sample_rate, 1);
    case PhaseAccumulation::kAngularCumsum:
      return AngularCumsum(frequency_hz.to(at::kFloat) * kTwoPi / sample_rate);
    case PhaseAccumulation::kTracedAngularCumsum: {
      const float reciprocal = 1.0f / static_cast<float>(sample_rate);
      return AngularCumsum(frequency_hz.to(at::kFloat) * (static_cast<float>(kTwoPi) * reciprocal));
    }
  }
  return {};
}

at::Tensor RemoveAboveNyquist(const Tensor& frequency_envelopes, const Tensor& amplitude_envelopes,
                              double sample_rate) {
  return at::where(frequency_envelopes >= sample_rate / 2, at::zeros({}, amplitude_envelopes.options()),
                   amplitude_envelopes);
}

at::Tensor NormalizeHarmonics(const Tensor& harmonic_distribution) {
  return SafeDivide(harmonic_distribution, harmonic_distribution.sum(-1, /*keepdim=*/true));
}

at::Tensor NormalizeHarmonics(const Tensor& harmonic_distribution, const Tensor& f0_hz, double sample_rate) {
  const Tensor frequencies = GetHarmonicFrequencies(f0_hz, harmonic_distribution.size(-1));
  return NormalizeHarmonics(RemoveAboveNyquist(frequencies, harmonic_distribution, sample_rate));
}

at::Tensor GetHarmonicFrequencies(const Tensor& frequencies, int64_t n_harmonics) {
  CheckEnvelope(frequencies, "frequencies");
  return frequencies * HarmonicNumbers(n_harmonics, frequencies);
}

at::Tensor Oscillators(const Tensor& frequency_envelopes, const Tensor& amplitude_envelopes,
                       const OscillatorOptions& options) {
  CheckEnvelope(frequency_envelopes, "frequency_envelopes");
  CheckEnvelope(amplitude_envelopes, "amplitude_envelopes");
  const Tensor amplitudes = RemoveAboveNyquist(frequency_envelopes, amplitude_envelopes, options.sample_rate);
  const Tensor phase = PhaseOf(frequency_envelopes, options.sample_rate, options.accumulation);
  return amplitudes * at::sin(phase.to(amplitudes.scalar_type()));
}

at::Tensor OscillatorBank(const Tensor& frequency_envelopes, const Tensor& amplitude_envelopes,
                          const OscillatorOptions& options) {
  return Oscillators(frequency_envelopes, amplitude_envelopes, options).sum(-1);
}

ContinuedAudio HarmonicOscillatorBank(const Tensor& frequency, const Tensor& amplitude_envelopes,
                                      const Tensor& initial_phase, const OscillatorOptions& options) {
  CheckEnvelope(frequency, "frequency");
  CheckEnvelope(amplitude_envelopes, "amplitude_envelopes");
  Tensor phase = PhaseOf(frequency, options.sample_rate, options.accumulation);
  if (initial_phase.defined()) phase = phase + initial_phase.to(phase.scalar_type());
  const Tensor waves = SinOfMultiples(phase, amplitude_envelopes.size(2), amplitude_envelopes.scalar_type());
  const Tensor end = at::remainder(phase.narrow(1, phase.size(1) - 1, 1), kTwoPi);
  return {(amplitude_envelopes * waves).sum(-1), end.to(frequency.scalar_type())};
}

at::Tensor HarmonicSynthesis(const HarmonicControls& controls, const HarmonicSynthesisOptions& options) {
  CheckEnvelope(controls.frequencies, "frequencies");
  CheckEnvelope(controls.amplitudes, "amplitudes");
  const int64_t n_harmonics = HarmonicsOf(controls);
  Tensor amplitudes = controls.amplitudes;
  if (controls.harmonic_distribution.defined()) amplitudes = amplitudes * controls.harmonic_distribution;
  Tensor amplitude_envelopes = Resample(amplitudes, options.n_samples, options.amp_resample_method);

  if (SharesOnePhase(controls, options)) {
    const Tensor f0 = Resample(controls.frequencies, options.n_samples);
    const Tensor phase = PhaseOf(f0, options.sample_rate, options.accumulation);
    const Tensor harmonics = GetHarmonicFrequencies(f0, n_harmonics);
    amplitude_envelopes = RemoveAboveNyquist(harmonics, amplitude_envelopes, options.sample_rate);
    return (amplitude_envelopes * SinOfMultiples(phase, n_harmonics, amplitude_envelopes.scalar_type())).sum(-1);
  }
  Tensor frequencies = GetHarmonicFrequencies(controls.frequencies, n_harmonics);
  if (controls.harmonic_shifts.defined()) frequencies = frequencies * (1 + controls.harmonic_shifts);
  return OscillatorBank(Resample(frequencies, options.n_samples), amplitude_envelopes,
                        {options.sample_rate, options.accumulation});
}

ContinuedAudio StreamingHarmonicSynthesis(const HarmonicControls& controls, const Tensor& initial_phase,
                                          const HarmonicSynthesisOptions& options) {
  Tensor amplitudes = controls.amplitudes;
  if (controls.harmonic_distribution.defined()) {
    amplitudes =
        amplitudes * NormalizeHarmonics(controls.harmonic_distribution, controls.frequencies, options.sample_rate);
  }
  return HarmonicOscillatorBank(Resample(controls.frequencies, options.n_samples),
                                Resample(amplitudes, options.n_samples, options.amp_resample_method), initial_phase,
                                {options.sample_rate, options.accumulation});
}

}  // namespace ddsp
