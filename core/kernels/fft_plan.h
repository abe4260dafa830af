// How a real transform is carried out; what fft.cc shares with fft_passes-inl.h.
#pragma once

#include <vector>

namespace ddsp::kernels {

// One pass of the complex transform: butterflies of `radix` points, `groups` twiddle indices, each over `stride`
// contiguous points.
struct FftPass {
  int radix, stride, groups;
  std::vector<float> twiddles;  // [radix - 1, 2 (re, im), groups]
  std::vector<float> spread;    // the same for each of stride * groups points, where a vector spans several groups
};

// A real transform of size 2 * half as a complex one of size half and a pass that untangles even and odd samples.
struct FftPlan {
  int half;
  std::vector<FftPass> passes;
  std::vector<float> untangle_re, untangle_im;  // exp(-2 pi i k / (2 half)), k < half
};

}  // namespace ddsp::kernels
