// A CREPE of random weights: of the right shapes, and deaf.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/base/safetensors.h"

namespace ddsp::testing {

// multiplier 4 is the published size "tiny". The seed decides.
inline SafetensorsWriter RandomCrepe(int64_t multiplier, uint32_t seed = 1) {
  SafetensorsWriter writer;
  std::mt19937 engine(seed);
  const auto add = [&](const std::string& name, const std::vector<int64_t>& shape, double low, double high) {
    int64_t elements = 1;
    for (const int64_t size : shape) elements *= size;
    std::vector<float> values(elements);
    for (float& value : values) value = static_cast<float>(low + (high - low) * engine() / 4294967296.0);
    writer.AddFloats(name, shape, values.data());
  };
  int64_t in = 1;
  for (int i = 1; i <= 6; ++i) {
    const int64_t filters[] = {32, 4, 4, 4, 8, 16}, out = filters[i - 1] * multiplier, taps = i == 1 ? 512 : 64;
    const std::string conv = "conv" + std::to_string(i);
    const double range = std::sqrt(6.0 / static_cast<double>(taps * in));
    add(conv + "/kernel", {taps, 1, in, out}, -range, range);
    add(conv + "/bias", {out}, -0.1, 0.1);
    add(conv + "-BN/gamma", {out}, 0.5, 1.5);
    add(conv + "-BN/beta", {out}, -0.2, 0.2);
    add(conv + "-BN/moving_mean", {out}, -0.2, 0.2);
    add(conv + "-BN/moving_variance", {out}, 0.2, 2);
    in = out;
  }
  const double range = std::sqrt(6.0 / static_cast<double>(4 * in));
  add("classifier/kernel", {4 * in, 360}, -range, range);
  add("classifier/bias", {360}, -3, -1);
  return writer;
}

}  // namespace ddsp::testing
