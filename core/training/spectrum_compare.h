// The inner loops of the spectral loss: spectra in, distance and gradient out, without a tensor per operation.
#pragma once

#include <cstdint>

namespace ddsp::training {

struct SpectrumDistance {
  double magnitude = 0;      // sum over bins of | |S| - |T| |
  double log_magnitude = 0;  // sum over bins of | log|S| - log|T| |
};

struct DistanceWeights {
  float magnitude = 1;
  float log_magnitude = 1;
  // Added to magnitudes before the logarithm. Zero is upstream's form: only a magnitude of exactly 0 is replaced, by
  // 1e-5, and the gradient of a quiet bin is as large as the bin is quiet.
  float log_floor = 0;
};

// Compares `count` bins, interleaved (real, imaginary), and overwrites `synth` by the gradient of
//   weights.magnitude * distance.magnitude + weights.log_magnitude * distance.log_magnitude
// with respect to its real and imaginary parts. A bin of magnitude 0 gets no gradient.
SpectrumDistance CompareSpectra(const DistanceWeights& weights, int64_t count, const float* target, float* synth);

// out[f * size + n] = window[n] * signal[f * hop + n], zero beyond the end of the signal.
void FrameSignal(const float* signal, int64_t length, const float* window, int64_t size, int64_t hop, int64_t frames,
                 float* out);

// The adjoint: signal[f * hop + n] += window[n] * in[f * size + n].
void OverlapAdd(const float* in, const float* window, int64_t size, int64_t hop, int64_t frames, int64_t length,
                float* signal);

}  // namespace ddsp::training
