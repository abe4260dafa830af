#pragma once

#include <span>
#include <vector>

namespace ddsp {

// Power spectrum of real frames of one size.
class PowerSpectrum {
 public:
  // `size` is a power of two, 8 to kMaxSize.
  static constexpr int kMaxSize = 4096;
  explicit PowerSpectrum(int size);

  int size() const { return size_; }
  int bins() const { return size_ / 2 + 1; }

  // power[k] = |sum_n frame[n] exp(-2 pi i k n / size)|^2 for size() samples and bins() bins.
  void Compute(std::span<const float> frame, std::span<float> power) const;

 private:
  int size_;
  std::vector<float> cosine_, sine_;
};

}  // namespace ddsp
