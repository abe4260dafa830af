#include "core/nn/affine.h"

#include <torch/csrc/autograd/custom_function.h>

namespace ddsp {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

absl::Span<const float> Floats(const at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

at::Tensor Apply(const kernels::PackedDense& product, const at::Tensor& rows) {
  const at::Tensor x = rows.contiguous();
  at::Tensor y = at::empty({x.size(0), product.outputs()}, x.options());
  product.Apply(x.data_ptr<float>(), x.size(1), x.size(0), y.data_ptr<float>(), product.outputs());
  return y;
}

class AffineFunction : public torch::autograd::Function<AffineFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& kernel,
                            const at::Tensor& bias) {
    context->save_for_backward({x, kernel});
    return Apply(Pack(kernel, bias), x);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &kernel = saved[1], dy = gradients[0].contiguous();
    const at::Tensor dx = context->needs_input_grad(0) ? Product(dy, kernel.t()) : at::Tensor();
    return {dx, Product(x.t(), dy), dy.sum(0)};
  }
};

}  // namespace

kernels::PackedDense Pack(const at::Tensor& weights, const at::Tensor& bias) {
  const at::Tensor w = weights.contiguous();
  const at::Tensor b = bias.defined() ? bias.contiguous() : bias;
  return kernels::PackedDense(Floats(w), b.defined() ? Floats(b) : absl::Span<const float>(), w.size(0), w.size(1));
}

at::Tensor Product(const at::Tensor& a, const at::Tensor& b) { return Apply(Pack(b, {}), a); }

at::Tensor Affine(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& bias) {
  return AffineFunction::apply(x, kernel, bias);
}

}  // namespace ddsp
