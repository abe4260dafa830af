// Repeatable test data.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace ddsp::kernels {

inline std::vector<float> RandomValues(int64_t size, float low, float high, uint32_t seed = 1) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> values(size);
  for (float& value : values) value = uniform(generator);
  return values;
}

}  // namespace ddsp::kernels
