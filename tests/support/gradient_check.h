// Gradients against central differences, in double.
#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <functional>
#include <vector>

namespace ddsp {

using TensorFunction = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

// The largest difference between autograd's gradient of sum(f(inputs) * fixed random weights) and its central
// differences, over all elements of all inputs, relative to the largest gradient. `inputs` are float64; each should have
// few elements, for f runs twice for every one.
inline double GradientError(const TensorFunction& f, std::vector<at::Tensor> inputs, double step = 1e-6) {
  for (at::Tensor& input : inputs) input = input.detach().clone().requires_grad_(true);
  const at::Tensor result = f(inputs);
  const at::Tensor weights = at::randn(result.sizes(), result.options().requires_grad(false));
  (result * weights).sum().backward();
  double largest = 0, error = 0;
  const at::NoGradGuard no_gradients;
  for (at::Tensor& input : inputs) {
    const at::Tensor gradient = input.grad().contiguous();
    double* values = input.data_ptr<double>();
    for (int64_t i = 0; i < input.numel(); ++i) {
      const double value = values[i];
      const auto at_offset = [&](double offset) {
        values[i] = value + offset;
        return (f(inputs) * weights).sum().item<double>();
      };
      const double numeric = (at_offset(step) - at_offset(-step)) / (2 * step);
      values[i] = value;
      const double analytic = gradient.data_ptr<double>()[i];
      largest = std::max(largest, std::abs(numeric));
      error = std::max(error, std::abs(numeric - analytic));
    }
  }
  return error / std::max(largest, 1e-300);
}

}  // namespace ddsp
