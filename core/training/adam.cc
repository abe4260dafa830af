#include "core/training/adam.h"

#include <algorithm>
#include <cmath>

namespace ddsp::training {

void Adam::Update(int64_t step, double learning_rate, const at::Tensor& rates, const at::Tensor& gradient,
                  const at::Tensor& weights) {
  if (!first_moment.defined()) {
    first_moment = at::zeros_like(weights);
    second_moment = at::zeros_like(weights);
  }
  UpdateRange(0, weights.numel(), step, learning_rate, rates, gradient, weights);
}

void Adam::UpdateRange(int64_t begin, int64_t end, int64_t step, double learning_rate, const at::Tensor& rates,
                       const at::Tensor& gradient, const at::Tensor& weights) {
  constexpr int64_t kChunk = 16384;  // all that its operations touch stays in the cache
  const double t = static_cast<double>(step + 1);
  const double rate = learning_rate * std::sqrt(1 - std::pow(beta2, t)) / (1 - std::pow(beta1, t));
  for (; begin < end; begin += kChunk) {
    const auto chunk = [&](const at::Tensor& x) { return x.slice(0, begin, std::min(begin + kChunk, end)); };
    const at::Tensor m = chunk(first_moment), v = chunk(second_moment), g = chunk(gradient);
    m.mul_(beta1).add_(g, 1 - beta1);
    v.mul_(beta2).addcmul_(g, g, 1 - beta2);
    chunk(weights).addcdiv_(m * chunk(rates), v.sqrt().add_(epsilon), -rate);
  }
}

double ClipNorm(double limit, const at::Tensor& gradient) {
  const double norm = gradient.norm().item<double>();
  if (norm > limit) gradient.mul_(limit / norm);
  return norm;
}

}  // namespace ddsp::training
