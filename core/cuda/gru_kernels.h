// What surrounds the products of a gated recurrent unit (core/kernels/gru.h): a row for each block.
#pragma once

#include <math.h>

#include "core/cuda/scalar_math.h"
#include "core/cuda/step_memory.h"

namespace ddsp::cuda {

// Brings the slots' decoder states, and the pitch that each frame ends with, to the rows.
struct GatherKernel {
  StepMemory memory;
  int64_t slot_state = 0;  // where a slot keeps its state
  int units = 0;
  float* state = nullptr;   // [rows, units]
  float* frames = nullptr;  // [rows, frame_width]: decoder outputs, then f0_hz
  int frame_width = 0;
  int max_rows = 0;

  static constexpr int kThreads = 128;
  int blocks() const { return max_rows; }
  int scratch_floats() const { return 0; }

  template <class Team>
  DDSP_DEVICE void operator()(Team& team, int row) const {
    if (row >= memory.input.counts->rows) return;
    const RowInput input = memory.input.rows[row];
    if (input.slot < 0) return;
    const float* from = memory.slot(input.slot) + slot_state;
    float* to = state + static_cast<int64_t>(row) * units;
    team.ForEach(units, [&](int i) { to[i] = from[i]; });
    team.ForEach(1, [&](int) { frames[static_cast<int64_t>(row + 1) * frame_width - 1] = input.f0_hz; });
  }
};

// The gates, from the input's and the state's products; the new state goes to the next layer's input and, from a
// request's last row, to its slot.
struct GruGatesKernel {
  StepMemory memory;
  const float* a = nullptr;      // [rows, 3 units], gates in the order z, r, h
  const float* b = nullptr;      // [rows, 3 units]
  const float* state = nullptr;  // [rows, units]
  float* output = nullptr;       // [rows, units], rows output_stride apart
  int64_t output_stride = 0;
  int64_t slot_state = 0;
  int units = 0;
  int max_rows = 0;

  static constexpr int kThreads = 128;
  int blocks() const { return max_rows; }
  int scratch_floats() const { return 0; }

  template <class Team>
  DDSP_DEVICE void operator()(Team& team, int row) const {
    if (row >= memory.input.counts->rows) return;
    const RowInput input = memory.input.rows[row];
    if (input.slot < 0) return;
    const float* a_row = a + static_cast<int64_t>(row) * 3 * units;
    const float* b_row = b + static_cast<int64_t>(row) * 3 * units;
    const float* old = state + static_cast<int64_t>(row) * units;
    float* kept = memory.slot(input.slot) + slot_state;
    team.ForEach(units, [&](int i) {
      const float z = Sigmoid(a_row[i] + b_row[i]);
      const float r = Sigmoid(a_row[units + i] + b_row[units + i]);
      const float c = tanhf(a_row[2 * units + i] + r * b_row[2 * units + i]);
      const float h = z * (old[i] - c) + c;
      output[row * output_stride + i] = h;
      if (input.keeps_state != 0) kept[i] = h;
    });
  }
};

}  // namespace ddsp::cuda
