#include "core/kernels/harmonic_controls.h"

#include "core/kernels/activations.h"

namespace ddsp::kernels {

void HarmonicControls(float amplitude, const float* distribution, int harmonics, float f0_hz, float sample_rate_hz,
                      float* amplitudes) {
  ExpSigmoid(distribution, harmonics, amplitudes);
  const float nyquist_hz = sample_rate_hz / 2;
  double sum = 0;
  for (int k = 0; k < harmonics; ++k) {
    if ((k + 1) * f0_hz >= nyquist_hz) amplitudes[k] = 0;
    sum += amplitudes[k];
  }
  ExpSigmoid(&amplitude, 1, &amplitude);
  const float scale = sum > 0 ? static_cast<float>(amplitude / sum) : 0.0f;
  for (int k = 0; k < harmonics; ++k) amplitudes[k] *= scale;
}

}  // namespace ddsp::kernels
