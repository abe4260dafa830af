#include "core/nn/dilated_conv_stack.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/nn/spectral_normalization.h"

namespace ddsp {
namespace {

SameConv::Options TimeConv(const DilatedConvStack::Options& options, int64_t in, int64_t kernel, int64_t stride,
                           int64_t dilation) {
  return {in, options.ch, {kernel, 1}, {stride, 1}, {dilation, 1}, options.kernel_initializer};
}

}  // namespace

DilatedConvStack::DilatedConvStack(const Options& options)
    : options_(options), conv_in_(TimeConv(options, options.in, options.kernel_size, 1, 1)) {
  const int64_t ch = options.ch;
  for (int64_t i = 0; i < options.stacks; ++i) {
    for (int64_t depth = 0; depth < options.layers_per_stack; ++depth) {
      layers_.emplace_back(TimeConv(options, ch, options.kernel_size, 1, DilationAt(depth)));
      norms_.emplace_back(AnyNorm::Options{ch, options.z_channels, options.norm_type, options.modulation});
    }
  }
  const int64_t stride = options.resample_stride;
  for (int64_t i = 0; i < options.stacks / options.stacks_per_resample; ++i) {
    if (options.resample == Resample::kDown) down_.emplace_back(TimeConv(options, ch, stride, stride, 1));
    if (options.resample == Resample::kUp) up_.emplace_back(ch, ch, 2 * stride, stride, options.kernel_initializer);
  }
  if (options.kernel_norm == KernelNorm::kNone) return;
  UseSpectralNormalization(conv_in_);
  for (SameConv& layer : layers_) UseSpectralNormalization(layer);
  for (SameConv& layer : down_) UseSpectralNormalization(layer);
  for (SameTransposedConv& layer : up_) UseSpectralNormalization(layer);
}

int64_t DilatedConvStack::DilationAt(int64_t depth) const {
  const int64_t exponent = options_.dilation > 0 ? depth : options_.layers_per_stack - depth - 1;
  return static_cast<int64_t>(std::pow(std::abs(options_.dilation), exponent));
}

bool DilatedConvStack::ResamplesAt(size_t layer) const {
  if (options_.resample == Resample::kNone) return false;
  const size_t period = static_cast<size_t>(options_.layers_per_stack * options_.stacks_per_resample);
  return (options_.resample_order == ResampleOrder::kAfterConvolve ? layer + 1 : layer) % period == 0;
}

at::Tensor DilatedConvStack::ResampleAt(size_t layer, const at::Tensor& x) const {
  const size_t index = layer / static_cast<size_t>(options_.layers_per_stack * options_.stacks_per_resample);
  return options_.resample == Resample::kDown ? down_[index].Forward(x) : up_[index].Forward(x);
}

at::Tensor DilatedConvStack::Forward(const at::Tensor& x, const at::Tensor& z) const {
  const at::Tensor conditioning = z.defined() ? EnsureFourAxes(z) : z;
  const bool before = options_.resample_order == ResampleOrder::kBeforeConvolve;
  at::Tensor y = conv_in_.Forward(EnsureFourAxes(x));
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (before && ResamplesAt(i)) y = ResampleAt(i, y);
    y = y + norms_[i].Forward(layers_[i].Forward(at::relu(y)), conditioning);
    if (!before && ResamplesAt(i)) y = ResampleAt(i, y);
  }
  return y.select(2, 0);
}

void DilatedConvStack::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  VisitWrapped(conv_in_, prefix + "conv_in/", visit);
  for (size_t i = 0; i < layers_.size(); ++i) {
    VisitWrapped(layers_[i], absl::StrCat(prefix, "layers/", i, "/layer_with_weights-0/"), visit);
    norms_[i].VisitParameters(absl::StrCat(prefix, "norms/", i, "/"), visit);
  }
  for (size_t i = 0; i < down_.size(); ++i)
    VisitWrapped(down_[i], absl::StrCat(prefix, "resample_layers/", i, "/"), visit);
  for (size_t i = 0; i < up_.size(); ++i) VisitWrapped(up_[i], absl::StrCat(prefix, "resample_layers/", i, "/"), visit);
}

}  // namespace ddsp
