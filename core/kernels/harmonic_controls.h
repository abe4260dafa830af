// From network outputs to the amplitudes of a harmonic bank.
#pragma once

namespace ddsp::kernels {

// Upstream's Harmonic.get_controls with scale_fn=exp_sigmoid and normalize_below_nyquist, for one row and frame:
//   d[k] = exp_sigmoid(distribution[k]), 0 where (k + 1) f0_hz >= sample_rate_hz / 2 (in float)
//   amplitudes[k] = exp_sigmoid(amplitude) d[k] / sum(d); all 0 where every d[k] is.
// distribution and amplitudes: [harmonics]; they may be the same array. Error at most 3e-6 of each value.
void HarmonicControls(float amplitude, const float* distribution, int harmonics, float f0_hz, float sample_rate_hz,
                      float* amplitudes);

}  // namespace ddsp::kernels
