// Convolutions over [batch, time, frequency, channels] with Keras's 'same' padding, which puts the odd zero at the end.
#pragma once

#include <ATen/ATen.h>

#include <utility>

#include "core/nn/parameters.h"

namespace ddsp {

// Adds axes of one until there are four: [batch, channels] and [batch, time, channels] become [batch, time, 1,
// channels].
at::Tensor EnsureFourAxes(const at::Tensor& x);
// The inverse for what had `axes` axes.
at::Tensor RestoreAxes(const at::Tensor& x, int64_t axes);

// Zeros before and after an axis of `size`, such that ceil(size / stride) outputs come of it.
std::pair<int64_t, int64_t> SamePadding(int64_t size, int64_t kernel, int64_t stride, int64_t dilation);

struct AxisPair {
  int64_t time = 1, frequency = 1;
};

// Output sizes are ceil(size / stride). Upstream: tfkl.Conv2D(..., padding='same').
class SameConv : public Layer {
 public:
  struct Options {
    int64_t in = 1, out = 1;  // channels
    AxisPair kernel, stride, dilation;
    Initializer initializer = Initializer::kGlorotUniform;  // of the kernel
  };
  explicit SameConv(const Options& options);
  // x [batch, time, frequency, in] to [batch, ceil(time / stride), ceil(frequency / stride), out].
  at::Tensor Forward(const at::Tensor& x) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  Options options_;
  Parameter kernel_, bias_;
};

// Upsampling in time by `stride`. Upstream: tfkl.Conv2DTranspose(ch, (k, 1), (stride, 1), padding='same').
class SameTransposedConv : public Layer {
 public:
  // kernel >= stride.
  SameTransposedConv(int64_t in, int64_t out, int64_t kernel, int64_t stride,
                     Initializer initializer = Initializer::kGlorotUniform);
  // x [batch, time, 1, in] to [batch, time * stride, 1, out].
  at::Tensor Forward(const at::Tensor& x) const;
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override;

 private:
  int64_t stride_;
  Parameter kernel_, bias_;  // kernel [taps, 1, out, in]
};

}  // namespace ddsp
