// Convolution of a stream with long impulse responses, without latency and for blocks of any size.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "core/kernels/partitioned_convolver.h"

namespace ddsp {

// The first kBlock taps go sample by sample; those after them have kBlock samples of time and go through the FFT.
class ReverbLine {
 public:
  static constexpr int kBlock = 128;

  // `response` [1 or batch, taps], float32.
  ReverbLine(const at::Tensor& response, int64_t batch);

  // Takes samples [batch, n]; returns their convolution, at the same samples.
  at::Tensor Convolve(const at::Tensor& samples);

 private:
  struct Row {
    const kernels::PartitionedConvolver* late = nullptr;  // null for a response of kBlock taps
    std::vector<float> state;
    std::vector<float> block = std::vector<float>(kBlock);        // input, until there is a block of it
    std::vector<float> due = std::vector<float>(kBlock);          // of late taps, for the present block
    std::vector<float> ringing = std::vector<float>(2 * kBlock);  // of early taps, for this block and the next
  };
  // Convolves one row from `at` in the block on; returns where that ends.
  int ConvolveRow(const float* in, int64_t count, const float* early, int at, Row& row, float* out);
  void FinishBlock(Row& row);

  at::Tensor early_;  // [1 or batch, kBlock]
  std::vector<kernels::PartitionedConvolver> late_;
  std::vector<Row> rows_;
  std::vector<float> scratch_;
  int at_ = 0;  // in the block, of the next sample
};

}  // namespace ddsp
