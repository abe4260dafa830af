#pragma once

#include <span>

#include "core/kernels/fft.h"

namespace ddsp {

// Power spectrum of real frames of one size.
class PowerSpectrum {
 public:
  static constexpr int kMaxSize = 4096;

  // `size` is a power of two, 8 to kMaxSize.
  explicit PowerSpectrum(int size) : fft_(size) {}

  int size() const { return fft_.size(); }
  int bins() const { return fft_.bins(); }

  // power[k] = |sum_n frame[n] exp(-2 pi i k n / size)|^2 for size() samples and bins() bins.
  void Compute(std::span<const float> frame, std::span<float> power) const;

 private:
  kernels::RealFft fft_;
};

}  // namespace ddsp
