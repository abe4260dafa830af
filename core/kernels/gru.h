// One step of a gated recurrent unit at inference, Keras semantics.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "core/kernels/dense_layer.h"

namespace ddsp::kernels {

// keras.layers.GRU with reset_after=True: with gates in the order z, r, h,
//   a = x kernel + bias[0],  b = h recurrent + bias[1]
//   z = sigmoid(a_z + b_z), r = sigmoid(a_r + b_r), c = tanh(a_h + r b_h),  h' = z h + (1 - z) c.
// Immutable, shared by threads; rows are independent to the bit. Error of one step in float32 for |h| <= 1: at most
// 3 (inputs + units) 2^-24 S (1 + S) + 1e-6, S being the largest sum of magnitudes |x| |kernel| + |h| |recurrent| +
// |bias| of a gate.
class GruCell {
 public:
  // kernel [inputs, 3 units], recurrent [units, 3 units], bias [2, 3 units].
  GruCell(absl::Span<const float> kernel, absl::Span<const float> recurrent, absl::Span<const float> bias,
          int64_t inputs, int64_t units, Arithmetic arithmetic = Arithmetic::kFloat32);

  int64_t inputs() const { return input_.inputs(); }
  int64_t units() const { return recurrent_.inputs(); }

  // Floats of scratch for any of the following with `rows` rows; contents do not matter.
  int64_t scratch_size(int64_t rows) const;

  // The part of a step that does not need the state: a, [rows, 3 units], contiguous, of rows of x at x + r * x_stride.
  // Steps of a row that are known at once can share it.
  void InputGates(const float* x, int64_t x_stride, int64_t rows, float* a, float* scratch) const;
  // The rest of a step: state [rows, units], contiguous, is replaced by the new state, which is also the output.
  void Update(const float* a, int64_t rows, float* state, float* scratch) const;
  // Both.
  void Step(const float* x, int64_t x_stride, int64_t rows, float* state, float* scratch) const;

 private:
  DenseLayer input_, recurrent_;
};

}  // namespace ddsp::kernels
