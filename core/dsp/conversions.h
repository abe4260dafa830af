// Between controls of the harmonic and of the sinusoidal synthesiser (upstream: core.py, synth conversions).
#pragma once

#include <ATen/ATen.h>

namespace ddsp {

struct SinusoidalToHarmonicOptions {
  double harmonic_width = 0.1;  // standard deviation of the relative distance that a sinusoid may have from a harmonic
  int64_t n_harmonics = 100;
  double sample_rate = 16000;  // Hz
  bool normalize = false;      // every harmonic hands out a weight of at most one
};
struct HarmonicAmplitudes {
  at::Tensor harm_amp;   // [batch, time, 1]
  at::Tensor harm_dist;  // [batch, time, harmonics]
};
// sin_amps, sin_freqs (Hz) [batch, time, sinusoids]; f0_hz [batch, time, 1]. Upstream: sinusoidal_to_harmonic.
HarmonicAmplitudes SinusoidalToHarmonic(const at::Tensor& sin_amps, const at::Tensor& sin_freqs,
                                        const at::Tensor& f0_hz, const SinusoidalToHarmonicOptions& options = {});

struct Sinusoids {
  at::Tensor amps;   // [batch, time, harmonics]
  at::Tensor freqs;  // Hz
};
// harm_amp [batch, time, 1], harm_dist [batch, time, harmonics], f0_hz [batch, time, 1] in Hz. Removes what is above
// Nyquist and normalises the rest. Upstream: harmonic_to_sinusoidal.
Sinusoids HarmonicToSinusoidal(const at::Tensor& harm_amp, const at::Tensor& harm_dist, const at::Tensor& f0_hz,
                               double sample_rate = 16000);

}  // namespace ddsp
