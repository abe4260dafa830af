#include "core/nn/batch_normalization.h"

namespace ddsp {

BatchNormalization::BatchNormalization(const Options& options)
    : options_(options),
      gamma_({options.channels}, Initializer::kOnes),
      beta_({options.channels}, Initializer::kZeros),
      moving_mean_({options.channels}, Initializer::kZeros),
      moving_variance_({options.channels}, Initializer::kOnes) {}

at::Tensor BatchNormalization::Forward(const at::Tensor& x) const {
  at::Tensor y = (x - moving_mean_.value) * at::rsqrt(moving_variance_.value + options_.epsilon);
  if (options_.scale) y = y * gamma_.value;
  return options_.center ? y + beta_.value : y;
}

void BatchNormalization::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  if (options_.scale) visit(prefix + "gamma", gamma_);
  if (options_.center) visit(prefix + "beta", beta_);
  visit(prefix + "moving_mean", moving_mean_);
  visit(prefix + "moving_variance", moving_variance_);
}

}  // namespace ddsp
