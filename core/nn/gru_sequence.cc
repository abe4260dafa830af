#include "core/nn/gru_sequence.h"

#include <torch/csrc/autograd/custom_function.h>

#include "core/dsp/argument.h"
#include "core/kernels/gru_gates.h"
#include "core/nn/affine.h"

namespace ddsp {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Any floating type and device, in tensor operations.
class PlainGru : public torch::autograd::Function<PlainGru> {
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

// float32 on the CPU: one product of a packed matrix and one pointwise pass a step.
class FusedGru : public torch::autograd::Function<FusedGru> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& projected, const Tensor& kernel, const Tensor& bias,
                        const Tensor& initial) {
    const int64_t steps = projected.size(0), batch = projected.size(1), units = initial.size(1);
    const Tensor a = projected.contiguous();
    Tensor states = at::empty({steps + 1, batch, units}, a.options());  // row t is the state before step t
    states[0].copy_(initial);
    Tensor saved = at::empty({4, steps, batch, units}, a.options());  // z, r, c, what r scales
    Tensor b = at::empty({batch, 3 * units}, a.options());
    const kernels::PackedDense product = Pack(kernel, bias);
    for (int64_t t = 0; t < steps; ++t) {
      const float* state = states.const_data_ptr<float>() + t * batch * units;
      product.Apply(state, units, batch, b.data_ptr<float>(), 3 * units);
      kernels::GruForward(batch, units, a.const_data_ptr<float>() + t * batch * 3 * units, b.const_data_ptr<float>(),
                          state, StepAt(saved, states, t));
    }
    ctx->save_for_backward({kernel, states, saved});
    return states.narrow(0, 1, steps);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved_tensors = ctx->get_saved_variables();
    const Tensor kernel = saved_tensors[0], states = saved_tensors[1], saved = saved_tensors[2];
    const Tensor d_states = grads[0].contiguous();
    const int64_t steps = d_states.size(0), batch = d_states.size(1), units = d_states.size(2);
    Tensor da = at::empty({steps, batch, 3 * units}, d_states.options()), db = at::empty_like(da);
    // The gradient of a state but for its own: past the update gate, and through the recurrent product.
    Tensor dh = at::zeros({batch, units}, d_states.options()), d_recurrent = at::zeros_like(dh);
    const kernels::PackedDense product = Pack(kernel.t(), {});
    for (int64_t t = steps - 1; t >= 0; --t) {
      const int64_t state = t * batch * units, gates = 3 * state;
      kernels::GruBackward(batch, units, StepAt(saved, states, t), states.const_data_ptr<float>() + state,
                           d_states.const_data_ptr<float>() + state, d_recurrent.const_data_ptr<float>(),
                           dh.data_ptr<float>(), da.data_ptr<float>() + gates, db.data_ptr<float>() + gates);
      product.Apply(db.const_data_ptr<float>() + gates, 3 * units, batch, d_recurrent.data_ptr<float>(), units);
    }
    const Tensor db_rows = db.flatten(0, 1), before = states.narrow(0, 0, steps).flatten(0, 1);
    return {da, Product(before.t(), db_rows), db_rows.sum(0), dh + d_recurrent};
  }

 private:
  static kernels::GruStep StepAt(const Tensor& saved, const Tensor& states, int64_t t) {
    const int64_t step = saved.size(2) * saved.size(3), kind = saved.size(1) * step;
    float* base = saved.data_ptr<float>() + t * step;
    return {base, base + kind, base + 2 * kind, base + 3 * kind, states.data_ptr<float>() + (t + 1) * step};
  }
};

bool IsPlainFloat(const Tensor& x) { return x.scalar_type() == at::kFloat && x.device().is_cpu(); }

}  // namespace

at::Tensor GruSequence(const Tensor& projected, const Tensor& recurrent_kernel, const Tensor& recurrent_bias,
                       const Tensor& initial) {
  DDSP_CHECK_ARGUMENT(projected.dim() == 3 && initial.dim() == 2 && projected.size(2) == 3 * initial.size(1) &&
                          projected.size(1) == initial.size(0),
                      "projected inputs are ", projected.sizes(), " for an initial state ", initial.sizes(),
                      ", expected [time, batch, 3 units] and [batch, units]");
  const bool fused = IsPlainFloat(projected) && IsPlainFloat(recurrent_kernel) && IsPlainFloat(recurrent_bias) &&
                     IsPlainFloat(initial) && projected.size(1) > 0;
  return fused ? FusedGru::apply(projected, recurrent_kernel, recurrent_bias, initial)
               : PlainGru::apply(projected, recurrent_kernel, recurrent_bias, initial);
}

}  // namespace ddsp
