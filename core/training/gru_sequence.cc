#include "core/training/gru_sequence.h"

#include <torch/torch.h>

#include "core/kernels/dense.h"
#include "core/training/affine.h"
#include "core/training/gru_gates.h"

namespace ddsp::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The recurrence alone, given the input gates [time, batch, 3 units] with the input bias added.
class GruRecurrence : public torch::autograd::Function<GruRecurrence> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gates, const at::Tensor& recurrent,
                            const at::Tensor& recurrent_bias) {
    const int64_t time = gates.size(0), batch = gates.size(1), units = recurrent.size(0);
    const at::Tensor a = gates.contiguous();
    // Row 0 of h is the zero state, so that row t is the state before step t.
    at::Tensor h = at::empty({time + 1, batch, units}, a.options());
    h[0].zero_();
    at::Tensor saved = at::empty({4, time, batch, units}, a.options());  // z, r, c, recurrent_h
    at::Tensor b = at::empty({batch, 3 * units}, a.options());
    const kernels::PackedDense product = Pack(recurrent, recurrent_bias);
    for (int64_t t = 0; t < time; ++t) {
      const float* state = h.data_ptr<float>() + t * batch * units;
      product.Apply(state, units, batch, b.data_ptr<float>(), 3 * units);
      GruForward(batch, units, a.data_ptr<float>() + t * batch * 3 * units, b.data_ptr<float>(), state,
                 At(saved, h, t));
    }
    context->save_for_backward({recurrent, h, saved});
    return h.slice(0, 1);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved_tensors = context->get_saved_variables();
    const at::Tensor recurrent = saved_tensors[0], h = saved_tensors[1], saved = saved_tensors[2];
    const at::Tensor upstream = gradients[0].contiguous();
    const int64_t time = upstream.size(0), batch = upstream.size(1), units = upstream.size(2);
    at::Tensor da = at::empty({time, batch, 3 * units}, upstream.options()), db = at::empty_like(da);
    at::Tensor dh = at::zeros({batch, units}, upstream.options()), d_recurrent = at::zeros_like(dh);
    const kernels::PackedDense product = Pack(recurrent.t().contiguous(), {});
    for (int64_t t = time - 1; t >= 0; --t) {
      const int64_t state = t * batch * units, gates = 3 * state;
      GruBackward(batch, units, At(saved, h, t), h.data_ptr<float>() + state, upstream.data_ptr<float>() + state,
                  d_recurrent.data_ptr<float>(), dh.data_ptr<float>(), da.data_ptr<float>() + gates,
                  db.data_ptr<float>() + gates);
      product.Apply(db.data_ptr<float>() + gates, 3 * units, batch, d_recurrent.data_ptr<float>(), units);
    }
    const at::Tensor db_rows = db.view({time * batch, 3 * units});
    const at::Tensor previous = h.slice(0, 0, time).view({time * batch, units});
    return {da, Product(previous.t(), db_rows), db_rows.sum(0)};
  }

 private:
  static GruStep At(const at::Tensor& saved, const at::Tensor& h, int64_t t) {
    const int64_t step = saved.size(2) * saved.size(3), kind = saved.size(1) * step;
    float* base = saved.data_ptr<float>() + t * step;
    return {base, base + kind, base + 2 * kind, base + 3 * kind, h.data_ptr<float>() + (t + 1) * step};
  }
};

}  // namespace

at::Tensor GruSequence(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& recurrent,
                       const at::Tensor& bias) {
  const int64_t time = x.size(0), batch = x.size(1);
  const at::Tensor gates = Affine(x.reshape({time * batch, x.size(2)}), kernel, bias[0]);
  return GruRecurrence::apply(gates.view({time, batch, kernel.size(1)}), recurrent, bias[1]);
}

}  // namespace ddsp::training
