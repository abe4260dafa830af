// y = x W + b for all rows of a step: a tile of rows and outputs for each block.
#pragma once

#include "core/cuda/step_memory.h"

namespace ddsp::cuda {

// Every output element is one chain of multiply-adds over the inputs in order, starting from the bias: a row's result
// is the same to the bit in any batch.
struct DenseKernel {
  const float* x = nullptr;  // [rows, inputs], rows x_stride apart
  int64_t x_stride = 0;
  const float* kernel = nullptr;  // [inputs, outputs]
  const float* bias = nullptr;    // [outputs]
  float* y = nullptr;             // [rows, outputs], rows y_stride apart
  int64_t y_stride = 0;
  int inputs = 0, outputs = 0;
  const StepCounts* counts = nullptr;
  int max_rows = 0;

  // A thread has 8 rows of 4 outputs in registers: 32 multiply-adds for 3 loads of 16 bytes from scratch.
  static constexpr int kThreads = 256, kColumns = 16;  // threads, and how many lie side by side
  static constexpr int kRows = 8, kOutputs = 4;        // of a thread
  static constexpr int kTileRows = kThreads / kColumns * kRows, kTileOutputs = kColumns * kOutputs;
  static constexpr int kDepth = 16;  // inputs that lie in scratch at a time

  DDSP_HOST_DEVICE int output_tiles() const { return (outputs + kTileOutputs - 1) / kTileOutputs; }
  int blocks() const { return (max_rows + kTileRows - 1) / kTileRows * output_tiles(); }
  int scratch_floats() const { return 4 * kDepth * (kRowQuads + kTileOutputs / 4); }

  template <class Team>
  DDSP_DEVICE void operator()(Team& team, int block) const {
    Tile(team, block / output_tiles() * kTileRows, block % output_tiles() * kTileOutputs);
  }

 private:
  struct alignas(16) Quad {
    float at[4];
  };
  struct Sums {
    float at[kRows][kOutputs];
  };
  static constexpr int kRowQuads = kTileRows / 4 + 1;  // one more, against conflicts of banks

  template <class Team>
  DDSP_DEVICE void Tile(Team& team, int first_row, int first_output) const {
    const int rows = counts->rows;
    if (first_row >= rows) return;
    Quad* x_tile = reinterpret_cast<Quad*>(team.scratch());  // [kDepth, kRowQuads]
    Quad* w_tile = x_tile + kDepth * kRowQuads;              // [kDepth, kTileOutputs / 4]
    auto sums = team.template PerThread<Sums>();
    team.ForEach(kThreads, [&](int thread) { Begin(first_output + thread % kColumns * kOutputs, sums[thread]); });
    for (int first = 0; first < inputs; first += kDepth) {
      team.ForEach(kTileRows * kDepth, [&](int i) {
        const int row = i / kDepth, k = i % kDepth;
        const bool exists = first_row + row < rows && first + k < inputs;
        x_tile[k * kRowQuads + row / 4].at[row % 4] = exists ? x[(first_row + row) * x_stride + first + k] : 0.0f;
      });
      team.ForEach(kDepth * kTileOutputs, [&](int i) {
        const int k = i / kTileOutputs, output = i % kTileOutputs;
        const bool exists = first + k < inputs && first_output + output < outputs;
        w_tile[i / 4].at[i % 4] =
            exists ? kernel[static_cast<int64_t>(first + k) * outputs + first_output + output] : 0.0f;
      });
      team.ForEach(kThreads, [&](int thread) {
        Multiply(x_tile + thread / kColumns * (kRows / 4), w_tile + thread % kColumns, sums[thread]);
      });
    }
    team.ForEach(kThreads, [&](int thread) {
      Write(first_row + thread / kColumns * kRows, first_output + thread % kColumns * kOutputs, sums[thread]);
    });
  }

  DDSP_DEVICE void Begin(int output, Sums& sums) const {
    for (int n = 0; n < kOutputs; ++n) {
      const float b = output + n < outputs ? bias[output + n] : 0.0f;
      for (int r = 0; r < kRows; ++r) sums.at[r][n] = b;
    }
  }

  DDSP_DEVICE static void Multiply(const Quad* x_tile, const Quad* w_tile, Sums& sums) {
#ifdef __CUDACC__
#pragma unroll
#endif
    for (int k = 0; k < kDepth; ++k) {
      const Quad low = x_tile[k * kRowQuads], high = x_tile[k * kRowQuads + 1];
      const Quad w = w_tile[k * (kTileOutputs / 4)];
      for (int r = 0; r < kRows; ++r) {
        const float a = r < 4 ? low.at[r % 4] : high.at[r % 4];
        for (int n = 0; n < kOutputs; ++n) sums.at[r][n] += a * w.at[n];
      }
    }
  }

  DDSP_DEVICE void Write(int row, int output, const Sums& sums) const {
    for (int r = 0; r < kRows; ++r) {
      for (int n = 0; n < kOutputs; ++n) {
        if (row + r < counts->rows && output + n < outputs) y[(row + r) * y_stride + output + n] = sums.at[r][n];
      }
    }
  }
};

}  // namespace ddsp::cuda
