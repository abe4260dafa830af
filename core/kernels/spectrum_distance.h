// The inner loops of a spectral loss: spectra in, distance and gradient out, without a tensor per operation.
#pragma once

#include <cstdint>

namespace ddsp::kernels {

struct SpectrumDistance {
  double magnitude = 0;      // sum over bins of | |S| - |T| |
  double log_magnitude = 0;  // sum over bins of | log|S| - log|T| |
};

struct DistanceWeights {
  double magnitude = 1;
  double log_magnitude = 1;
  // Added to magnitudes before the logarithm. Zero is upstream's form: only a magnitude of exactly 0 is replaced, by
  // 1e-5, and the gradient of a quiet bin is as large as the bin is quiet.
  double log_floor = 0;
};

// Compares `count` bins, interleaved (real, imaginary), and overwrites `synth` by the gradient of
//   weights.magnitude * distance.magnitude + weights.log_magnitude * distance.log_magnitude
// with respect to its real and imaginary parts. A bin of magnitude 0 gets no gradient.
SpectrumDistance CompareSpectra(const DistanceWeights& weights, int64_t count, const float* target, float* synth);
SpectrumDistance CompareSpectra(const DistanceWeights& weights, int64_t count, const double* target, double* synth);

// Frames of a signal at a distance of `hop`.
struct Framing {
  int64_t samples;  // of the signal
  int64_t size;     // of a frame
  int64_t hop;
  int64_t frames;
};

// out[f * size + n] = window[n] * signal[f * hop + n], zero beyond the end of the signal.
void FrameSignal(const Framing& layout, const float* signal, const float* window, float* out);
void FrameSignal(const Framing& layout, const double* signal, const double* window, double* out);

// The adjoint: signal[f * hop + n] += window[n] * in[f * size + n].
void OverlapAddFrames(const Framing& layout, const float* in, const float* window, float* signal);
void OverlapAddFrames(const Framing& layout, const double* in, const double* window, double* signal);

}  // namespace ddsp::kernels
