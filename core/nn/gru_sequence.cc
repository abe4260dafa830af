#include "core/nn/gru_sequence.h"

#include <torch/csrc/autograd/custom_function.h>

#include "core/dsp/argument.h"

namespace ddsp {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class GruFunction : public torch::autograd::Function<GruFunction> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& projected, const Tensor& kernel, const Tensor& bias,
                        const Tensor& initial) {
    const int64_t steps = projected.size(0), batch = projected.size(1), units = initial.size(1);
    Tensor states = at::empty({steps + 1, batch, units}, initial.options());
    states[0].copy_(initial);
    Tensor gates = projected.clone(at::MemoryFormat::Contiguous);            // z, r, c after their nonlinearities
    Tensor recurrent = at::empty({steps, batch, units}, initial.options());  // the product that r scales
    Tensor product = at::empty({batch, 3 * units}, initial.options());
    for (int64_t t = 0; t < steps; ++t) {
      const Tensor h = states[t];
      at::addmm_out(product, bias, h, kernel);
      Tensor zr = gates[t].narrow(1, 0, 2 * units), c = gates[t].narrow(1, 2 * units, units);
      zr.add_(product.narrow(1, 0, 2 * units)).sigmoid_();
      recurrent[t].copy_(product.narrow(1, 2 * units, units));
      c.addcmul_(zr.narrow(1, units, units), recurrent[t]).tanh_();
      Tensor next = states[t + 1];
      at::lerp_out(next, c, h, zr.narrow(1, 0, units));
    }
    ctx->save_for_backward({kernel, states, gates, recurrent});
    return states.narrow(0, 1, steps);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &kernel = saved[0], &states = saved[1], &gates = saved[2], &recurrent = saved[3];
    const int64_t steps = recurrent.size(0), units = recurrent.size(2);
    Tensor d_projected = at::empty_like(gates);
    Tensor d_product = at::empty_like(gates);
    Tensor carry = at::zeros_like(states[0]);
    const Tensor kernel_t = kernel.t();
    for (int64_t t = steps - 1; t >= 0; --t) {
      const Tensor z = gates[t].narrow(1, 0, units), r = gates[t].narrow(1, units, units),
                   c = gates[t].narrow(1, 2 * units, units);
      const Tensor dh = carry + grads[0][t];
      const Tensor d_candidate = at::tanh_backward(dh * (1 - z), c);
      Tensor dx = d_projected[t], dp = d_product[t];
      dx.narrow(1, 0, units).copy_(at::sigmoid_backward(dh * (states[t] - c), z));
      dx.narrow(1, units, units).copy_(at::sigmoid_backward(d_candidate * recurrent[t], r));
      dx.narrow(1, 2 * units, units).copy_(d_candidate);
      dp.narrow(1, 0, 2 * units).copy_(dx.narrow(1, 0, 2 * units));
      dp.narrow(1, 2 * units, units).copy_(d_candidate * r);
      carry = at::addmm(dh * z, dp, kernel_t);
    }
    const Tensor before = states.narrow(0, 0, steps).flatten(0, 1);
    const Tensor d_kernel = at::matmul(before.t(), d_product.flatten(0, 1));
    return {d_projected, d_kernel, d_product.sum(at::IntArrayRef{0, 1}), carry};
  }
};

}  // namespace

at::Tensor GruSequence(const Tensor& projected, const Tensor& recurrent_kernel, const Tensor& recurrent_bias,
                       const Tensor& initial) {
  DDSP_CHECK_ARGUMENT(projected.dim() == 3 && initial.dim() == 2 && projected.size(2) == 3 * initial.size(1) &&
                          projected.size(1) == initial.size(0),
                      "projected inputs are ", projected.sizes(), " for an initial state ", initial.sizes(),
                      ", expected [time, batch, 3 units] and [batch, units]");
  return GruFunction::apply(projected, recurrent_kernel, recurrent_bias, initial);
}

}  // namespace ddsp
