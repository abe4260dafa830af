#include "core/nn/normalization.h"

#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"
#include "core/nn/convolution_layers.h"

namespace ddsp {

absl::StatusOr<NormType> ParseNormType(const std::string& name) {
  if (name.empty()) return NormType::kNone;
  if (name == "layer") return NormType::kLayer;
  if (name == "instance") return NormType::kInstance;
  if (name == "group") return NormType::kGroup;
  return absl::InvalidArgumentError(absl::StrCat("norm_type is '", name, "', expected layer, instance, group or none"));
}

at::Tensor NormalizeOp(const at::Tensor& x, NormType type) {
  if (type == NormType::kNone) return x;
  DDSP_CHECK_ARGUMENT(x.dim() == 4, "tensor has shape ", x.sizes(), ", expected [batch, time, frequency, channels]");
  const int64_t channels = x.size(3);
  const int64_t groups = type == NormType::kLayer ? 1 : type == NormType::kInstance ? channels : 32;
  DDSP_CHECK_ARGUMENT(channels % groups == 0, "tensor has ", channels, " channels, expected a multiple of the ", groups,
                      " groups");
  const at::Tensor grouped = x.unflatten(3, {groups, channels / groups});
  const std::vector<int64_t> axes = {1, 2, 4};
  const at::Tensor centred = grouped - grouped.mean(axes, /*keepdim=*/true);
  const at::Tensor variance = centred.square().mean(axes, /*keepdim=*/true);
  return (centred / at::sqrt(variance + 1e-5)).flatten(3, 4);
}

Normalize::Normalize(int64_t channels, NormType type)
    : type_(type), scale_({1, 1, 1, channels}, Initializer::kOnes), shift_({1, 1, 1, channels}, Initializer::kZeros) {}

at::Tensor Normalize::Forward(const at::Tensor& x) const {
  return RestoreAxes(NormalizeOp(EnsureFourAxes(x), type_) * scale_.value + shift_.value, x.dim());
}

void Normalize::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  visit(prefix + "scale", scale_);
  visit(prefix + "shift", shift_);
}

ConditionalScaleAndShift::ConditionalScaleAndShift(int64_t channels, int64_t z_channels, Modulation modulation)
    : channels_(channels),
      modulation_(modulation),
      dense_(z_channels, modulation == Modulation::kShiftOnly ? channels : 2 * channels) {}

at::Tensor ConditionalScaleAndShift::Forward(const at::Tensor& x, const at::Tensor& z) const {
  const at::Tensor y = dense_.Forward(z);
  if (modulation_ == Modulation::kShiftOnly) return x + y;
  return x * y.narrow(-1, 0, channels_) + y.narrow(-1, channels_, channels_);
}

void ConditionalScaleAndShift::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  dense_.VisitParameters(prefix + "dense/", visit);
}

AnyNorm::AnyNorm(const Options& options) : type_(options.type) {
  if (options.z_channels == 0) {
    plain_.emplace(options.channels, options.type);
  } else {
    conditional_.emplace(options.channels, options.z_channels, options.modulation);
  }
}

at::Tensor AnyNorm::Forward(const at::Tensor& x, const at::Tensor& z) const {
  return plain_ ? plain_->Forward(x) : conditional_->Forward(NormalizeOp(x, type_), z);
}

void AnyNorm::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  if (plain_) plain_->VisitParameters(prefix, visit);
  if (conditional_) conditional_->VisitParameters(prefix + "conditional_scale_and_shift/", visit);
}

}  // namespace ddsp
