// Dense layers at inference: weights packed once, any number of rows.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "hwy/aligned_allocator.h"

namespace ddsp::kernels {

// y = x W + b. Immutable, shared by threads.
//
// Every output element is one chain of fused multiply-adds over the inputs in order, starting from the bias: a row's
// result is the same to the bit for any number of rows and any position among them. Error: at most in * 2^-24 * (|x|
// |W| + |b|).
class PackedDense {
 public:
  // kernel [inputs, outputs] row by row (Keras), bias [outputs] or empty for none.
  PackedDense(absl::Span<const float> kernel, absl::Span<const float> bias, int64_t inputs, int64_t outputs);

  int64_t inputs() const { return inputs_; }
  int64_t outputs() const { return outputs_; }

  // Reads rows of `inputs` floats at x + r * x_stride, writes rows of `outputs` floats at y + r * y_stride. y must not
  // overlap x.
  void Apply(const float* x, int64_t x_stride, int64_t rows, float* y, int64_t y_stride) const;

 private:
  int64_t inputs_, outputs_;
  hwy::AlignedFreeUniquePtr<float[]> panels_;  // [panel][1 + inputs][kPanel]: bias, then weights, of kPanel outputs
};

}  // namespace ddsp::kernels
