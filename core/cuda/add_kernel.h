// Add of two signals, a request for each block.
#pragma once

#include "core/cuda/step_memory.h"

namespace ddsp::cuda {

struct AddKernel {
  StepMemory memory;
  const float* a = nullptr;  // [requests, hop]
  const float* b = nullptr;
  float* output = nullptr;
  int hop = 0;
  int max_rows = 0;

  static constexpr int kThreads = 128;
  int blocks() const { return max_rows; }
  int scratch_floats() const { return 0; }

  template <class Team>
  DDSP_DEVICE void operator()(Team& team, int block) const {
    if (block >= memory.input.counts->requests || memory.input.requests[block].frame_index == 0) return;
    const int64_t at = static_cast<int64_t>(block) * hop;
    team.ForEach(hop, [&](int i) { output[at + i] = a[at + i] + b[at + i]; });
  }
};

}  // namespace ddsp::cuda
