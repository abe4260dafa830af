// Bounds of a graph that comes from someone else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace ddsp {

struct GraphLimits {
  size_t max_nodes = 10000;
  // Largest integer among the arguments: lengths in samples, counts of channels.
  int64_t max_argument = std::numeric_limits<int64_t>::max();
  // Largest product of that integer with the batch and the channels of the inputs, and of a layer's with itself: what
  // one tensor may hold.
  int64_t max_elements = std::numeric_limits<int64_t>::max();
};

}  // namespace ddsp
