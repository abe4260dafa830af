#include "core/features/real_fft.h"

#include <array>

namespace ddsp {

void PowerSpectrum::Compute(std::span<const float> frame, std::span<float> power) const {
  alignas(64) std::array<float, 2 * kMaxSize + 4 * kernels::RealFft::kSkew> scratch;
  fft_.Power(frame.data(), power.data(), scratch.data());
}

}  // namespace ddsp
