// Real FFT of sizes 2^a 3^b 5^c.
#pragma once

#include <memory>

namespace ddsp::kernels {

// A plan: immutable, shared by threads; the caller provides scratch.
//
// Error (rms, relative to the rms of the result): at most 1e-6 for every size up to 8192, 2e-7 in practice.
class RealFft {
 public:
  // Buffers of a power of two in size lie so many floats further apart: at multiples of 4096 bytes a load waits for
  // stores to the others.
  static constexpr int kSkew = 48;

  // Whether there is a plan for `size`: even, 2 to 2^20, no prime factor above 5.
  static bool Supports(int size);

  // `size` must be supported.
  explicit RealFft(int size);
  ~RealFft();
  RealFft(RealFft&&) noexcept;
  RealFft& operator=(RealFft&&) noexcept;

  int size() const { return size_; }
  int bins() const { return size_ / 2 + 1; }
  // Floats of scratch that one call needs; contents do not matter.
  int scratch_size() const { return 2 * size_ + 4 * kSkew; }

  // re[k] + i im[k] = sum_n in[n] exp(-2 pi i k n / size), k < bins(). The arrays must not overlap.
  void Forward(const float* in, float* re, float* im, float* scratch) const;

  // power[k] = |spectrum[k]|^2, k < bins(): Forward and squares in one.
  void Power(const float* in, float* power, float* scratch) const;

  // The inverse with its factor 1/size: Inverse(Forward(x)) = x. im[0] and im[size / 2] are taken as zero. Inputs are
  // kept.
  void Inverse(const float* re, const float* im, float* out, float* scratch) const;

  // The first samples of the inverse of a real spectrum, such as the autocorrelation of a power spectrum; `count` of
  // them, even, 2 to size().
  void InverseOfReal(const float* spectrum, int count, float* out, float* scratch) const;

 private:
  struct Plan;
  int size_;
  std::unique_ptr<const Plan> plan_;
};

}  // namespace ddsp::kernels
