// A gated recurrent unit over whole sequences, differentiable: one matrix product and one fused pointwise pass a step.
#pragma once

#include <ATen/ATen.h>

namespace ddsp::training {

// keras.layers.GRU (reset_after, gates z, r, h) from a zero state; returns the states [time, batch, units].
//   x          [time, batch, inputs], float32
//   kernel     [inputs, 3 units]
//   recurrent  [units, 3 units]
//   bias       [2, 3 units]: input row, recurrent row
at::Tensor GruSequence(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& recurrent,
                       const at::Tensor& bias);

}  // namespace ddsp::training
