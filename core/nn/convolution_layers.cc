#include "core/nn/convolution_layers.h"

#include <algorithm>

#include "core/dsp/argument.h"

namespace ddsp {
namespace {

using at::Tensor;

// Between [batch, time, frequency, channels] and LibTorch's [batch, channels, time, frequency].
Tensor ChannelsFirst(const Tensor& x) { return x.permute({0, 3, 1, 2}); }
Tensor ChannelsLast(const Tensor& x) { return x.permute({0, 2, 3, 1}); }

}  // namespace

std::pair<int64_t, int64_t> SamePadding(int64_t size, int64_t kernel, int64_t stride, int64_t dilation) {
  const int64_t out = (size + stride - 1) / stride;
  const int64_t total = std::max<int64_t>(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - size);
  return {total / 2, total - total / 2};
}

at::Tensor EnsureFourAxes(const Tensor& x) {
  DDSP_CHECK_ARGUMENT(x.dim() >= 2 && x.dim() <= 4, "tensor has shape ", x.sizes(), ", expected 2 to 4 axes");
  if (x.dim() == 2) return x.unsqueeze(1).unsqueeze(2);
  return x.dim() == 3 ? x.unsqueeze(2) : x;
}

at::Tensor RestoreAxes(const Tensor& x, int64_t axes) {
  if (axes == 2) return x.select(2, 0).select(1, 0);
  return axes == 3 ? x.select(2, 0) : x;
}

SameConv::SameConv(const Options& options)
    : options_(options),
      kernel_({options.kernel.time, options.kernel.frequency, options.in, options.out}, options.initializer),
      bias_({options.out}, Initializer::kZeros) {}

at::Tensor SameConv::Forward(const Tensor& x) const {
  const auto [top, bottom] = SamePadding(x.size(1), options_.kernel.time, options_.stride.time, options_.dilation.time);
  const auto [left, right] =
      SamePadding(x.size(2), options_.kernel.frequency, options_.stride.frequency, options_.dilation.frequency);
  const Tensor padded = at::constant_pad_nd(ChannelsFirst(x), {left, right, top, bottom});
  return ChannelsLast(at::conv2d(padded, kernel_.value.permute({3, 2, 0, 1}), bias_.value,
                                 at::IntArrayRef({options_.stride.time, options_.stride.frequency}),
                                 at::IntArrayRef({0, 0}),
                                 at::IntArrayRef({options_.dilation.time, options_.dilation.frequency})));
}

void SameConv::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  visit(prefix + "kernel", kernel_);
  visit(prefix + "bias", bias_);
}

SameTransposedConv::SameTransposedConv(int64_t in, int64_t out, int64_t kernel, int64_t stride, Initializer initializer)
    : stride_(stride), kernel_({kernel, 1, out, in}, initializer), bias_({out}, Initializer::kZeros) {}

at::Tensor SameTransposedConv::Forward(const Tensor& x) const {
  const Tensor full = at::conv_transpose2d(ChannelsFirst(x), kernel_.value.permute({3, 2, 0, 1}), bias_.value,
                                           at::IntArrayRef({stride_, 1}));
  const int64_t before = (kernel_.shape[0] - stride_) / 2;
  return ChannelsLast(full.narrow(2, before, x.size(1) * stride_));
}

void SameTransposedConv::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  visit(prefix + "kernel", kernel_);
  visit(prefix + "bias", bias_);
}

}  // namespace ddsp
