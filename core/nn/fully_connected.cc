#include "core/nn/fully_connected.h"

#include "absl/strings/str_cat.h"

namespace ddsp {

at::Tensor Activate(Nonlinearity nonlinearity, const at::Tensor& x) {
  switch (nonlinearity) {
    case Nonlinearity::kLinear:
      return x;
    case Nonlinearity::kRelu:
      return at::relu(x);
    case Nonlinearity::kLeakyRelu:
      return at::leaky_relu(x, 0.2);
    case Nonlinearity::kSigmoid:
      return at::sigmoid(x);
    case Nonlinearity::kTanh:
      return at::tanh(x);
  }
  return x;
}

absl::StatusOr<Nonlinearity> ParseNonlinearity(const std::string& name) {
  if (name.empty() || name == "linear") return Nonlinearity::kLinear;
  if (name == "relu") return Nonlinearity::kRelu;
  if (name == "leaky_relu") return Nonlinearity::kLeakyRelu;
  if (name == "sigmoid") return Nonlinearity::kSigmoid;
  if (name == "tanh") return Nonlinearity::kTanh;
  return absl::InvalidArgumentError(
      absl::StrCat("nonlinearity is '", name, "', expected linear, relu, leaky_relu, sigmoid or tanh"));
}

at::Tensor Dense::Forward(const at::Tensor& x) const { return at::matmul(x, kernel_.value) + bias_.value; }

void Dense::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  visit(prefix + "kernel", kernel_);
  visit(prefix + "bias", bias_);
}

at::Tensor LayerNormalization::Forward(const at::Tensor& x) const {
  return at::layer_norm(x, {x.size(-1)}, gamma_.value, beta_.value, 1e-3);
}

void LayerNormalization::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  visit(prefix + "gamma", gamma_);
  visit(prefix + "beta", beta_);
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
