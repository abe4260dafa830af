#include "core/features/frame_level.h"

#include <algorithm>
#include <cmath>

namespace ddsp {

float FramePowerDb(std::span<const float> frame) {
  double sum = 0.0;
  for (float x : frame) sum += static_cast<double>(x) * x;
  return static_cast<float>(10.0 * std::log10(std::max(1e-8, sum / frame.size())));
}

}  // namespace ddsp
