// Layer normalisation and the activation after it (core/kernels/layer_norm.h): a row for each block.
#pragma once

#include <math.h>

#include "core/cuda/step_memory.h"

namespace ddsp::cuda {

struct LayerNormKernel {
  const float* x = nullptr;  // [rows, width], contiguous
  const float* gamma = nullptr;
  const float* beta = nullptr;
  float* y = nullptr;  // [rows, width], rows y_stride apart
  int64_t y_stride = 0;
  int width = 0;
  const StepCounts* counts = nullptr;
  int max_rows = 0;

  static constexpr int kThreads = 128;
  int blocks() const { return max_rows; }
  int scratch_floats() const { return 0; }

  template <class Team>
  DDSP_DEVICE void operator()(Team& team, int row) const {
    if (row >= counts->rows) return;
    const float* from = x + static_cast<int64_t>(row) * width;
    float* to = y + row * y_stride;
    const float mean = team.Sum(width, [&](int i) { return from[i]; }) / width;
    const float variance = team.Sum(width, [&](int i) { return (from[i] - mean) * (from[i] - mean); }) / width;
    const float scale = 1.0f / sqrtf(variance + 1e-3f);
    team.ForEach(width, [&](int i) {
      const float v = (from[i] - mean) * scale * gamma[i] + beta[i];
      to[i] = v >= 0 ? v : 0.2f * v;
    });
  }
};

}  // namespace ddsp::cuda
