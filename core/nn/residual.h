// Residual convolution blocks over [batch, time, frequency, channels] (upstream: training/nn.py).
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <vector>

#include "core/nn/convolution_layers.h"
#include "core/nn/normalization.h"

namespace ddsp {

// Normalise, rectify, convolve with a k x k kernel, downsampling frequency. Upstream: NormReluConv.
class NormReluConv : public Layer {
 public:
  struct Options {
    int64_t in = 1, ch = 1, kernel = 1, stride = 1;
    NormType norm_type = NormType::kLayer;
  };
  explicit NormReluConv(const Options& options);
  // x [batch, time, bins, in] to [batch, time, ceil(bins / stride), ch].
  at::Tensor Forward(const at::Tensor& x) const { return conv_.Forward(at::relu(norm_.Forward(x))); }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Normalize norm_;
  SameConv conv_;
};

// Whether the residual is projected (to other sizes) or passed on.
enum class Shortcut { kIdentity, kProjection };

// A bottleneck of `ch` channels; the output has 4 ch. Upstream: ResidualLayer.
class ResidualLayer : public Layer {
 public:
  struct Options {
    int64_t in = 1, ch = 1, stride = 1;
    Shortcut shortcut = Shortcut::kIdentity;
    NormType norm_type = NormType::kLayer;
    int64_t z_channels = 0;  // 0: not conditional
    Modulation modulation = Modulation::kScaleAndShift;
  };
  explicit ResidualLayer(const Options& options);
  // x [batch, time, bins, in] to [batch, time, ceil(bins / stride), 4 ch]; z undefined or [batch, time, 1, z_channels].
  at::Tensor Forward(const at::Tensor& x, const at::Tensor& z = {}) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  AnyNorm norm_input_;
  std::optional<SameConv> projection_;
  SameConv reduce_;
  NormReluConv convolve_, expand_;
};

// Blocks of residual layers, normalised and activated at the end. Upstream: ResidualStack.
class ResidualStack : public Layer {
 public:
  struct Block {
    int64_t ch = 1, layers = 1, stride = 1;
  };
  struct Options {
    int64_t in = 1;
    std::vector<Block> blocks;
    NormType norm_type = NormType::kLayer;
    int64_t z_channels = 0;
    Modulation modulation = Modulation::kScaleAndShift;
    Nonlinearity nonlinearity = Nonlinearity::kRelu;  // at the end
  };
  explicit ResidualStack(const Options& options);
  // As ResidualLayer; the output has 4 times the channels of the last block.
  at::Tensor Forward(const at::Tensor& x, const at::Tensor& z = {}) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Nonlinearity nonlinearity_;
  std::vector<ResidualLayer> layers_;
  std::optional<Normalize> norm_;
};

}  // namespace ddsp
