#include "core/nn/residual.h"

#include "absl/strings/str_cat.h"

namespace ddsp {
namespace {

SameConv::Options FrequencyConv(int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  return {in, out, {kernel, kernel}, {1, stride}, {1, 1}};
}

}  // namespace

NormReluConv::NormReluConv(const Options& options)
    : norm_(options.in, options.norm_type),
      conv_(FrequencyConv(options.in, options.ch, options.kernel, options.stride)) {}

void NormReluConv::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  norm_.VisitParameters(prefix + "layer_with_weights-0/", visit);
  conv_.VisitParameters(prefix + "layer_with_weights-1/", visit);
}

ResidualLayer::ResidualLayer(const Options& options)
    : norm_input_({options.in, options.z_channels, options.norm_type, options.modulation}),
      reduce_(FrequencyConv(options.in, options.ch, 1, 1)),
      convolve_({options.ch, options.ch, 3, options.stride, options.norm_type}),
      expand_({options.ch, 4 * options.ch, 1, 1, options.norm_type}) {
  if (options.shortcut == Shortcut::kProjection)
    projection_.emplace(FrequencyConv(options.in, 4 * options.ch, 1, options.stride));
}

at::Tensor ResidualLayer::Forward(const at::Tensor& x, const at::Tensor& z) const {
  const at::Tensor normalized = at::relu(norm_input_.Forward(EnsureFourAxes(x), z.defined() ? EnsureFourAxes(z) : z));
  const at::Tensor residual = projection_ ? projection_->Forward(normalized) : x;
  return expand_.Forward(convolve_.Forward(reduce_.Forward(normalized))) + residual;
}

void ResidualLayer::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  norm_input_.VisitParameters(prefix + "norm_input/", visit);
  if (projection_) projection_->VisitParameters(prefix + "conv_proj/", visit);
  reduce_.VisitParameters(prefix + "bottleneck/layer_with_weights-0/", visit);
  convolve_.VisitParameters(prefix + "bottleneck/layer_with_weights-1/", visit);
  expand_.VisitParameters(prefix + "bottleneck/layer_with_weights-2/", visit);
}

ResidualStack::ResidualStack(const Options& options) : nonlinearity_(options.nonlinearity) {
  int64_t channels = options.in;
  for (const Block& block : options.blocks) {
    for (int64_t i = 0; i < block.layers; ++i) {
      const bool first = i == 0;
      layers_.emplace_back(ResidualLayer::Options{channels, block.ch, first ? block.stride : 1,
                                                  first ? Shortcut::kProjection : Shortcut::kIdentity,
                                                  options.norm_type, options.z_channels, options.modulation});
      channels = 4 * block.ch;
    }
  }
  norm_.emplace(channels, options.norm_type);
}

at::Tensor ResidualStack::Forward(const at::Tensor& x, const at::Tensor& z) const {
  at::Tensor y = x;
  for (const ResidualLayer& layer : layers_) y = layer.Forward(y, z);
  return Activate(nonlinearity_, norm_->Forward(y));
}

void ResidualStack::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  for (size_t i = 0; i < layers_.size(); ++i)
    layers_[i].VisitParameters(absl::StrCat(prefix, "layers/", i, "/"), visit);
  norm_->VisitParameters(absl::StrCat(prefix, "layers/", layers_.size(), "/"), visit);
}

}  // namespace ddsp
