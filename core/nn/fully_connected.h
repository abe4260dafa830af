// Dense layers and the stacks that decoders are made of (upstream: training/nn.py).
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "core/nn/parameters.h"

namespace ddsp {

enum class Nonlinearity { kLinear, kRelu, kLeakyRelu, kSigmoid, kTanh };  // leaky: slope 0.2, as in TensorFlow
at::Tensor Activate(Nonlinearity nonlinearity, const at::Tensor& x);
// Upstream names, e.g. "leaky_relu". Errors: INVALID_ARGUMENT.
absl::StatusOr<Nonlinearity> ParseNonlinearity(const std::string& name);

// y = x kernel + bias over the last axis, x [..., in] to [..., out]. Upstream: tfkl.Dense.
class Dense : public Layer {
 public:
  Dense(int64_t in, int64_t out) : kernel_({in, out}, Initializer::kGlorotUniform), bias_({out}, Initializer::kZeros) {}
  at::Tensor Forward(const at::Tensor& x) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Parameter kernel_, bias_;
};

// Keras's layer normalisation over the last axis, epsilon 1e-3. Upstream: tfkl.LayerNormalization.
class LayerNormalization : public Layer {
 public:
  explicit LayerNormalization(int64_t channels)
      : gamma_({channels}, Initializer::kOnes), beta_({channels}, Initializer::kZeros) {}
  at::Tensor Forward(const at::Tensor& x) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Parameter gamma_, beta_;
};

// Dense, layer normalisation, nonlinearity. Upstream: Fc.
class Fc : public Layer {
 public:
  Fc(int64_t in, int64_t ch, Nonlinearity nonlinearity = Nonlinearity::kLeakyRelu)
      : dense_(in, ch), norm_(ch), nonlinearity_(nonlinearity) {}
  at::Tensor Forward(const at::Tensor& x) const { return Activate(nonlinearity_, norm_.Forward(dense_.Forward(x))); }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Dense dense_;
  LayerNormalization norm_;
  Nonlinearity nonlinearity_;
};

// `layers` times Fc; the identity for 0. Upstream: FcStack.
class FcStack : public Layer {
 public:
  FcStack(int64_t in, int64_t ch, int64_t layers, Nonlinearity nonlinearity = Nonlinearity::kLeakyRelu);
  int64_t out_channels() const { return out_channels_; }  // `ch`, or `in` where there are no layers
  at::Tensor Forward(const at::Tensor& x) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  std::vector<Fc> layers_;
  int64_t out_channels_;
};

}  // namespace ddsp
