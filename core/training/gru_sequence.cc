#include "core/training/gru_sequence.h"

#include <torch/torch.h>

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
    const at::Tensor bias_rows = recurrent_bias.expand({batch, 3 * units});
    for (int64_t t = 0; t < time; ++t) {
      at::Tensor state = h[t];
      at::addmm_out(b, bias_rows, state, recurrent);
      GruForward(batch, units, a[t].data_ptr<float>(), b.data_ptr<float>(), state.data_ptr<float>(), At(saved, h, t));
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
    at::Tensor dh = at::zeros({batch, units}, upstream.options());
    const at::Tensor transposed = recurrent.t();
    for (int64_t t = time - 1; t >= 0; --t) {
      dh.add_(upstream[t]);
      at::Tensor db_t = db[t];
      GruBackward(batch, units, At(saved, h, t), h[t].data_ptr<float>(), dh.data_ptr<float>(), da[t].data_ptr<float>(),
                  db_t.data_ptr<float>());
      dh.addmm_(db_t, transposed);
    }
    const at::Tensor db_rows = db.view({time * batch, 3 * units});
    const at::Tensor previous = h.slice(0, 0, time).view({time * batch, units});
    return {da, at::mm(previous.t(), db_rows), db_rows.sum(0)};
  }

 private:
  static GruStep At(const at::Tensor& saved, const at::Tensor& h, int64_t t) {
    const int64_t step = saved.size(2) * saved.size(3), kind = saved.size(1) * step;
    float* base = saved.data_ptr<float>() + t * step;
    return {base, base + kind, base + 2 * kind, base + 3 * kind, h.data_ptr<float>() + (t + 1) * step};
  }
};

}  // namespace

at::Tensor GruSequence(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& recurrent, const at::Tensor& bias) {
  const int64_t time = x.size(0), batch = x.size(1);
  const at::Tensor gates = at::addmm(bias[0], x.reshape({time * batch, x.size(2)}), kernel);
  return GruRecurrence::apply(gates.view({time, batch, kernel.size(1)}), recurrent, bias[1]);
}

}  // namespace ddsp::training
