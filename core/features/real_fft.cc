#include "core/features/real_fft.h"

#include <array>

namespace ddsp {

void PowerSpectrum::Compute(std::span<const float> frame, std::span<float> power) const {
  alignas(64) std::array<float, kMaxSize / 2 + 1> re, im;
  alignas(64) std::array<float, 2 * kMaxSize + 4 * kernels::RealFft::kSkew> scratch;
  fft_.Forward(frame.data(), re.data(), im.data(), scratch.data());
  for (int k = 0; k < bins(); ++k) power[k] = re[k] * re[k] + im[k] * im[k];
}

}  // namespace ddsp
