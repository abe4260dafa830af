#include "core/nn/vector_quantization.h"

#include "core/dsp/argument.h"

namespace ddsp {
namespace {

int64_t PartOf(int64_t channels, const VectorQuantization::Options& options) {
  DDSP_CHECK_ARGUMENT(options.k > 0 && options.num_heads > 0 && channels > 0 && channels % options.num_heads == 0,
                      "k is ", options.k, ", num_heads ", options.num_heads, " for ", channels,
                      " channels, expected codes, and heads that divide the channels");
  return channels / options.num_heads;
}

}  // namespace

VectorQuantization::VectorQuantization(int64_t channels, const Options& options)
    : options_(options),
      sums_({options.k, PartOf(channels, options)}, Initializer::kGlorotUniform),
      counts_({options.k}, Initializer::kOnes) {}

VectorQuantization::Output VectorQuantization::Forward(const at::Tensor& x) const {
  const int64_t part = sums_.shape[1], channels = part * options_.num_heads;
  DDSP_CHECK_ARGUMENT(x.dim() >= 1 && x.size(-1) == channels, "x has shape ", x.sizes(), ", expected [..., ", channels,
                      "]");
  const at::Tensor codes = sums_.value / counts_.value.unsqueeze(1);
  const at::Tensor parts = x.detach().reshape({-1, part});
  // |x|^2 is the same for every code.
  const at::Tensor distances = codes.square().sum(1) - 2 * at::matmul(parts, codes.t());
  const at::Tensor index = distances.argmin(1);
  std::vector<int64_t> shape = x.sizes().vec();
  const at::Tensor nearest = at::index_select(codes.detach(), 0, index).reshape(shape);
  shape.back() = options_.num_heads;
  return {x + (nearest - x).detach(), index.reshape(shape)};
}

void VectorQuantization::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  visit(prefix + "sums", sums_);
  visit(prefix + "counts", counts_);
}

}  // namespace ddsp
