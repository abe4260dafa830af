#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace ddsp::training {

// Keras' Adam: epsilon is added to the root of the raw second moment.
struct Adam {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-7;

  at::Tensor first_moment, second_moment;  // [size], zero at first

  // Update number `step`, from 0.
  //   rates  [size], multiplies the learning rate of each weight
  void Update(int64_t step, double learning_rate, const at::Tensor& rates, const at::Tensor& gradient,
              const at::Tensor& weights);
  // The same of the weights [begin, end) alone, which may be done by several threads at once.
  void UpdateRange(int64_t begin, int64_t end, int64_t step, double learning_rate, const at::Tensor& rates,
                   const at::Tensor& gradient, const at::Tensor& weights);
};

// Scales `gradient` in place so that its norm is at most `limit`; returns the norm before.
double ClipNorm(double limit, const at::Tensor& gradient);

}  // namespace ddsp::training
