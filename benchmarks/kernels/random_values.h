// Repeatable benchmark data.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace ddsp::kernels {

inline std::vector<float> RandomValues(int64_t size, float low, float high) {
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> values(size);
  for (float& value : values) value = uniform(generator);
  return values;
}

}  // namespace ddsp::kernels
