// Dense layers and the stacks that decoders are made of (upstream: training/nn.py).
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "core/nn/nonlinearity.h"
#include "core/nn/parameters.h"

namespace ddsp {

enum class Bias { kAdded, kNone };

// y = x kernel + bias over the last axis, x [..., in] to [..., out]. Upstream: tfkl.Dense.
class Dense : public Layer {
 public:
  Dense(int64_t in, int64_t out, Bias has_bias = Bias::kAdded, Initializer initializer = Initializer::kGlorotUniform)
      : has_bias_(has_bias), kernel_({in, out}, initializer), bias_({out}, Initializer::kZeros) {}
  at::Tensor Forward(const at::Tensor& x) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Bias has_bias_;
  Parameter kernel_, bias_;
};

// Keras's layer normalisation over the last axis. Upstream: tfkl.LayerNormalization.
class LayerNormalization : public Layer {
 public:
  enum class Affine { kScaleAndCenter, kScale, kCenter, kNone };  // what is learned
  explicit LayerNormalization(int64_t channels, double epsilon = 1e-3, Affine affine = Affine::kScaleAndCenter)
      : epsilon_(epsilon),
        affine_(affine),
        gamma_({channels}, Initializer::kOnes),
        beta_({channels}, Initializer::kZeros) {}
  at::Tensor Forward(const at::Tensor& x) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  double epsilon_;
  Affine affine_;
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
