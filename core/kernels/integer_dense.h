// Dense layers at inference in 16-bit integers: twice the rate of float32 on machines with 16-bit dot products.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "hwy/aligned_allocator.h"

namespace ddsp::kernels {

// y = x W + b, x and W rounded to whole numbers of 14 bits or less: x with a scale for each row, W with one for each
// output. Sums of products are exact, so a row's result is the same to the bit for any number of rows, any position
// among them, and but for the last multiply-add on any machine. Immutable, shared by threads.
//
// Error of an output, with s = max|x| / 8191 the step of the row and t = weight_step() that of the output: at most
//   sum_i (|x_i| t + |W_i| s + s t / 2) / 2
// and what float32 rounds; in practice, roundings being independent, 3e-4 of sqrt(sum x^2 sum W^2). A row with NaN or
// infinity in it gives NaN throughout.
class IntegerDense {
 public:
  // kernel [inputs, outputs] row by row (Keras), bias [outputs] or empty for none.
  IntegerDense(absl::Span<const float> kernel, absl::Span<const float> bias, int64_t inputs, int64_t outputs);

  int64_t inputs() const { return inputs_; }
  int64_t outputs() const { return outputs_; }
  // Bytes of scratch for Apply() to `rows` rows; contents do not matter.
  int64_t scratch_bytes(int64_t rows) const;

  // As PackedDense::Apply(). scratch is aligned to 4 bytes.
  void Apply(const float* x, int64_t x_stride, int64_t rows, float* y, int64_t y_stride, void* scratch) const;

  // What one whole number of an output's weights is worth: as little as keeps its sums in 32 bits.
  float weight_step(int64_t output) const { return scales_[output]; }

 private:
  int64_t inputs_, outputs_, pairs_;             // pairs of inputs, the last one filled up
  hwy::AlignedFreeUniquePtr<int16_t[]> panels_;  // [panel][pair][kPanel outputs][2]
  hwy::AlignedFreeUniquePtr<float[]> scales_;    // [outputs, padded]
  hwy::AlignedFreeUniquePtr<float[]> bias_;      // [outputs, padded]
};

}  // namespace ddsp::kernels
