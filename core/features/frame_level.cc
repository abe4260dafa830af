#include "core/features/frame_level.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/dot.h"

namespace ddsp {

float FramePowerDb(std::span<const float> frame) {
  const double energy = kernels::Dot({frame.data(), frame.size()}, {frame.data(), frame.size()});
  return static_cast<float>(10.0 * std::log10(std::max(1e-8, energy / frame.size())));
}

}  // namespace ddsp
