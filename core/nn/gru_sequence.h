// The recurrent part of a GRU over a whole sequence, differentiable.
#pragma once

#include <ATen/ATen.h>

namespace ddsp {

// Runs h[t] = z h[t-1] + (1 - z) c over T steps from projected inputs, in the gate order of Keras (z, r, candidate),
// reset after the recurrent product:
//   z, r = sigmoid(x_zr + h kernel_zr + bias_zr),   c = tanh(x_c + r (h kernel_c + bias_c)).
//   projected         [T, batch, 3 units], inputs times kernel plus input bias
//   recurrent_kernel  [units, 3 units]
//   recurrent_bias    [3 units]
//   initial           [batch, units]
// Returns h [T, batch, units]. One node of the autograd graph: its backward pass forms the weights' gradient with one
// product over all steps, where at::gru adds T of them up. In float32 on the CPU each step is one product and one fused
// pointwise pass.
at::Tensor GruSequence(const at::Tensor& projected, const at::Tensor& recurrent_kernel,
                       const at::Tensor& recurrent_bias, const at::Tensor& initial);

}  // namespace ddsp
