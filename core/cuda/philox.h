// The noise of core/kernels/noise.h: four samples for each number of the counter.
#pragma once

#include <cstdint>

#include "core/cuda/device_code.h"

namespace ddsp::cuda {

struct NoiseBlock {
  float samples[4];
};

// Samples 4 block .. 4 block + 3 of the stream's noise, uniform in [-1, 1).
DDSP_DEVICE NoiseBlock UniformNoiseBlock(uint64_t seed, uint64_t block) {
  uint32_t c[4] = {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0, 0};
  uint32_t key[2] = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * c[0], p1 = uint64_t{0xCD9E8D57u} * c[2];
    c[0] = static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ key[0];
    c[1] = static_cast<uint32_t>(p1);
    c[2] = static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ key[1];
    c[3] = static_cast<uint32_t>(p0);
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  NoiseBlock noise;
  for (int i = 0; i < 4; ++i) noise.samples[i] = static_cast<float>(c[i] >> 8) * 0x1p-23f - 1.0f;
  return noise;
}

}  // namespace ddsp::cuda
