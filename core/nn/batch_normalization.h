#pragma once

#include <ATen/ATen.h>

#include <string>

#include "core/nn/parameters.h"

namespace ddsp {

// Keras's batch normalisation over the last axis as it is when nothing trains: with the means and variances that it
// holds. Upstream: tfkl.BatchNormalization.
class BatchNormalization : public Layer {
 public:
  struct Options {
    int64_t channels = 1;
    double epsilon = 1e-3;
    bool scale = true, center = true;  // by gamma, by beta
  };
  explicit BatchNormalization(const Options& options);
  at::Tensor Forward(const at::Tensor& x) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Options options_;
  Parameter gamma_, beta_, moving_mean_, moving_variance_;
};

}  // namespace ddsp
