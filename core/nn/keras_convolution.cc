#include "core/nn/keras_convolution.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"

namespace ddsp {
namespace {

using at::Tensor;

constexpr double kMostValues = 1 << 28;

std::vector<int64_t> KernelShape(const KerasConvOptions& options, int64_t before_last, int64_t last) {
  std::vector<int64_t> shape = options.kernel;
  shape.insert(shape.end(), {before_last, last});
  double values = 1;
  for (const int64_t size : shape) values *= static_cast<double>(size);
  DDSP_CHECK_ARGUMENT(values <= kMostValues, "a kernel has ", values, " values, expected at most ", kMostValues);
  return shape;
}

int64_t InOfGroup(const KerasConvOptions& options) {
  DDSP_CHECK_ARGUMENT(options.groups > 0 && options.in % options.groups == 0 && options.filters % options.groups == 0,
                      "groups is ", options.groups, " for ", options.in, " channels and ", options.filters,
                      " filters, expected what divides both");
  return options.in / options.groups;
}

// Zeros before and after an axis.
std::pair<int64_t, int64_t> PaddingOf(ConvPadding padding, int64_t size, int64_t kernel, int64_t stride,
                                      int64_t dilation) {
  if (padding == ConvPadding::kValid) return {0, 0};
  if (padding == ConvPadding::kCausal) return {(kernel - 1) * dilation, 0};
  return SamePadding(size, kernel, stride, dilation);
}

void CheckAxes(const Tensor& x, size_t axes, int64_t channels) {
  DDSP_CHECK_ARGUMENT(x.dim() == static_cast<int64_t>(axes) + 2 && x.size(-1) == channels, "x has shape ", x.sizes(),
                      ", expected [batch, ", axes == 1 ? "time" : "height, width", ", ", channels, "]");
}

Tensor AddBias(const Tensor& y, const Parameter& bias, Bias has_bias) {
  return has_bias == Bias::kAdded ? y + bias.value : y;
}

}  // namespace

absl::StatusOr<ConvPadding> ParseConvPadding(const std::string& name) {
  if (name == "valid") return ConvPadding::kValid;
  if (name == "same") return ConvPadding::kSame;
  if (name == "causal") return ConvPadding::kCausal;
  return absl::InvalidArgumentError(absl::StrCat("padding is '", name, "', expected valid, same or causal"));
}

KerasConv::KerasConv(const KerasConvOptions& options)
    : options_(options),
      kernel_(KernelShape(options, InOfGroup(options), options.filters), options.initializer),
      bias_({options.filters}, Initializer::kZeros) {}

Tensor KerasConv::Forward(const Tensor& x) const {
  const size_t axes = options_.kernel.size();
  CheckAxes(x, axes, options_.in);
  std::vector<int64_t> padding;  // the last axis first
  for (size_t i = axes; i-- > 0;) {
    const int64_t size = x.size(static_cast<int64_t>(i) + 1);
    const auto [before, after] =
        PaddingOf(options_.padding, size, options_.kernel[i], options_.strides[i], options_.dilation[i]);
    const int64_t reach = (options_.kernel[i] - 1) * options_.dilation[i] + 1;
    DDSP_CHECK_ARGUMENT(size + before + after >= reach, "x has shape ", x.sizes(),
                        ", which is shorter than a kernel's ", reach);
    padding.insert(padding.end(), {before, after});
  }
  const Tensor padded = at::constant_pad_nd(x.movedim(-1, 1), padding);
  const Tensor kernel = kernel_.value.movedim({-1, -2}, {0, 1});
  const std::vector<int64_t> none(axes, 0);
  const Tensor y = at::convolution(padded, kernel, {}, options_.strides, none, options_.dilation, /*transposed=*/false,
                                   none, options_.groups);
  return AddBias(y.movedim(1, -1), bias_, options_.bias);
}

void KerasConv::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  visit(prefix + "kernel", kernel_);
  if (options_.bias == Bias::kAdded) visit(prefix + "bias", bias_);
}

KerasTransposedConv::KerasTransposedConv(const KerasConvOptions& options)
    : options_(options),
      kernel_(KernelShape(options, options.filters, options.in), options.initializer),
      bias_({options.filters}, Initializer::kZeros) {
  DDSP_CHECK_ARGUMENT(options.padding != ConvPadding::kCausal, "padding is causal, expected valid or same");
}

Tensor KerasTransposedConv::Forward(const Tensor& x) const {
  const size_t axes = options_.kernel.size();
  CheckAxes(x, axes, options_.in);
  const std::vector<int64_t> none(axes, 0), ones(axes, 1);
  double values = static_cast<double>(x.size(0) * options_.filters);
  for (size_t i = 0; i < axes; ++i) {
    const int64_t size = x.size(static_cast<int64_t>(i) + 1);
    values *=
        static_cast<double>(size) * static_cast<double>(options_.strides[i]) + static_cast<double>(options_.kernel[i]);
  }
  DDSP_CHECK_ARGUMENT(values <= kMostValues, "the result has ", values, " values, expected at most ", kMostValues);
  Tensor y =
      at::convolution(x.movedim(-1, 1), kernel_.value.movedim({-1, -2}, {0, 1}), {}, options_.strides, none, ones,
                      /*transposed=*/true, none, /*groups=*/1);
  for (size_t i = 0; i < axes; ++i) {
    const int64_t excess = std::max<int64_t>(0, options_.kernel[i] - options_.strides[i]);
    const bool same = options_.padding == ConvPadding::kSame;
    const int64_t axis = static_cast<int64_t>(i) + 2, start = same ? excess / 2 : 0;
    const int64_t size = x.size(static_cast<int64_t>(i) + 1) * options_.strides[i] + (same ? 0 : excess);
    // A stride longer than the kernel leaves zeros at the end too.
    std::vector<int64_t> padding(2 * (axes - i), 0);
    padding.back() = std::max<int64_t>(0, start + size - y.size(axis));
    y = at::constant_pad_nd(y, padding).narrow(axis, start, size);
  }
  return AddBias(y.movedim(1, -1), bias_, options_.bias);
}

void KerasTransposedConv::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  visit(prefix + "kernel", kernel_);
  if (options_.bias == Bias::kAdded) visit(prefix + "bias", bias_);
}

Tensor Pool(const Tensor& x, Pooling pooling, const std::vector<int64_t>& sizes, const std::vector<int64_t>& strides,
            ConvPadding padding) {
  DDSP_CHECK_ARGUMENT(x.dim() == static_cast<int64_t>(sizes.size()) + 2, "x has shape ", x.sizes(), ", expected ",
                      sizes.size() + 2, " axes");
  const double outside = pooling == Pooling::kMax ? -std::numeric_limits<double>::infinity() : 0.0;
  Tensor y = x;
  for (size_t i = 0; i < sizes.size(); ++i) {  // the windows are rectangles
    if (sizes[i] == 1 && strides[i] == 1) continue;
    const int64_t axis = static_cast<int64_t>(i) + 1, size = x.size(axis);
    const auto [before, after] = PaddingOf(padding, size, sizes[i], strides[i], 1);
    DDSP_CHECK_ARGUMENT(size + before + after >= sizes[i], "x has shape ", x.sizes(), ", which is shorter than the ",
                        sizes[i], " that are pooled");
    const auto windows = [&, before = before, after = after](const Tensor& values) {
      return at::constant_pad_nd(values.movedim(axis, -1), {before, after}, outside).unfold(-1, sizes[i], strides[i]);
    };
    Tensor pooled;
    if (pooling == Pooling::kMax) {
      pooled = windows(y).amax(-1);
    } else {
      std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
      shape[i + 1] = size;
      pooled = windows(y).sum(-1) / windows(at::ones(shape, y.options())).sum(-1);
    }
    y = pooled.movedim(-1, axis);
  }
  return y;
}

}  // namespace ddsp
