#include "core/dsp/conversions.h"

#include "core/dsp/oscillator.h"
#include "core/dsp/safe_math.h"

namespace ddsp {

using at::Tensor;

HarmonicAmplitudes SinusoidalToHarmonic(const Tensor& sin_amps, const Tensor& sin_freqs, const Tensor& f0_hz,
                                        const SinusoidalToHarmonicOptions& options) {
  const Tensor harmonics = GetHarmonicFrequencies(f0_hz, options.n_harmonics);
  const Tensor distance = SafeDivide(sin_freqs.unsqueeze(2) - harmonics.unsqueeze(3), f0_hz.unsqueeze(3));
  Tensor weights = at::exp(-(distance / options.harmonic_width).square());  // [batch, time, harmonics, sinusoids]
  if (options.normalize) {
    const Tensor sum = weights.sum(-1, /*keepdim=*/true);
    weights = weights / at::where(sum > 1, sum, at::ones_like(sum));
  }
  const Tensor amps = RemoveAboveNyquist(harmonics, (weights * sin_amps.unsqueeze(2)).sum(-1), options.sample_rate);
  const Tensor total = amps.sum(-1, /*keepdim=*/true);
  return {total, SafeDivide(amps, total)};
}

Sinusoids HarmonicToSinusoidal(const Tensor& harm_amp, const Tensor& harm_dist, const Tensor& f0_hz,
                               double sample_rate) {
  return {harm_amp * NormalizeHarmonics(harm_dist, f0_hz, sample_rate),
          GetHarmonicFrequencies(f0_hz, harm_dist.size(-1))};
}

}  // namespace ddsp
