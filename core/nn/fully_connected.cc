#include "core/nn/fully_connected.h"

#include "absl/strings/str_cat.h"

namespace ddsp {

at::Tensor Dense::Forward(const at::Tensor& x) const {
  const at::Tensor y = at::matmul(x, kernel_.value);
  return has_bias_ == Bias::kAdded ? y + bias_.value : y;
}

void Dense::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  visit(prefix + "kernel", kernel_);
  if (has_bias_ == Bias::kAdded) visit(prefix + "bias", bias_);
}

at::Tensor LayerNormalization::Forward(const at::Tensor& x) const {
  const bool scales = affine_ == Affine::kScaleAndCenter || affine_ == Affine::kScale,
             centers = affine_ == Affine::kScaleAndCenter || affine_ == Affine::kCenter;
  return at::layer_norm(x, {x.size(-1)}, scales ? gamma_.value : at::Tensor(), centers ? beta_.value : at::Tensor(),
                        epsilon_);
}

void LayerNormalization::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  if (affine_ == Affine::kScaleAndCenter || affine_ == Affine::kScale) visit(prefix + "gamma", gamma_);
  if (affine_ == Affine::kScaleAndCenter || affine_ == Affine::kCenter) visit(prefix + "beta", beta_);
}

void Fc::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  dense_.VisitParameters(prefix + "layer_with_weights-0/", visit);
  norm_.VisitParameters(prefix + "layer_with_weights-1/", visit);
}

FcStack::FcStack(int64_t in, int64_t ch, int64_t layers, Nonlinearity nonlinearity)
    : out_channels_(layers > 0 ? ch : in) {
  for (int64_t i = 0; i < layers; ++i) layers_.emplace_back(i == 0 ? in : ch, ch, nonlinearity);
}

at::Tensor FcStack::Forward(const at::Tensor& x) const {
  at::Tensor y = x;
  for (const Fc& layer : layers_) y = layer.Forward(y);
  return y;
}

void FcStack::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  for (size_t i = 0; i < layers_.size(); ++i)
    layers_[i].VisitParameters(absl::StrCat(prefix, "layer_with_weights-", i, "/"), visit);
}

}  // namespace ddsp
