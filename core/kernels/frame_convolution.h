// Convolution of a signal whose frames each have an impulse response of their own, and its adjoints.
#pragma once

#include <cstdint>

namespace ddsp::kernels {

// One row: `frames` frames of `hop` samples, each convolved with its own `taps` taps and added up. Direct, so that
// nothing but inputs and outputs takes memory; for up to a few hundred taps no slower than the FFT. T: float or double.
struct FrameConvolution {
  int64_t frames, hop, taps;

  int64_t output_size() const { return frames * hop + taps - 1; }

  // x [frames * hop], h [frames, taps] to y [output_size()].
  template <typename T>
  void Apply(const T* x, const T* h, T* y) const;
  // The adjoints; both overwrite. Gradient of sum_n d_y[n] y[n] with respect to h, and to x.
  template <typename T>
  void ResponseGradient(const T* x, const T* d_y, T* d_h) const;
  template <typename T>
  void SignalGradient(const T* h, const T* d_y, T* d_x) const;
};

}  // namespace ddsp::kernels
