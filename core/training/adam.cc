#include "core/training/adam.h"

#include <cmath>

namespace ddsp::training {

void Adam::Update(int64_t step, double learning_rate, const at::Tensor& rates, const at::Tensor& gradient,
                  const at::Tensor& weights) {
  if (!first_moment.defined()) {
    first_moment = at::zeros_like(weights);
    second_moment = at::zeros_like(weights);
  }
  first_moment.mul_(beta1).add_(gradient, 1 - beta1);
  second_moment.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
  const double t = static_cast<double>(step + 1);
  const double rate = learning_rate * std::sqrt(1 - std::pow(beta2, t)) / (1 - std::pow(beta1, t));
  weights.addcdiv_(first_moment * rates, second_moment.sqrt().add_(epsilon), -rate);
}

double ClipNorm(double limit, const at::Tensor& gradient) {
  const double norm = gradient.norm().item<double>();
  if (norm > limit) gradient.mul_(limit / norm);
  return norm;
}

}  // namespace ddsp::training
