#include "core/nn/vector_quantization.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "core/dsp/argument.h"

namespace ddsp {
namespace {

using at::Tensor;

int64_t PartOf(int64_t channels, const VectorQuantization::Options& options) {
  DDSP_CHECK_ARGUMENT(options.k > 0 && options.num_heads > 0 && channels > 0 && channels % options.num_heads == 0,
                      "k is ", options.k, ", num_heads ", options.num_heads, " for ", channels,
                      " channels, expected codes, and heads that divide the channels");
  DDSP_CHECK_ARGUMENT(options.gamma >= 0 && options.gamma <= 1, "gamma is ", options.gamma, ", expected 0 to 1");
  DDSP_CHECK_ARGUMENT(options.restart_threshold >= 0, "restart_threshold is ", options.restart_threshold,
                      ", expected no negative number");
  return channels / options.num_heads;
}

}  // namespace

VectorQuantization::VectorQuantization(int64_t channels, const Options& options)
    : options_(options),
      sums_({options.k, PartOf(channels, options)}, Initializer::kZeros),
      counts_({options.k}, Initializer::kZeros) {}

at::Tensor VectorQuantization::Parts(const Tensor& x) const {
  const int64_t part = sums_.shape[1], channels = part * options_.num_heads;
  DDSP_CHECK_ARGUMENT(x.dim() >= 1 && x.size(-1) == channels, "x has shape ", x.sizes(), ", expected [..., ", channels,
                      "]");
  return x.detach().reshape({-1, part});
}

at::Tensor VectorQuantization::Codes() const {
  const Tensor sums = sums_.value.detach(), counts = counts_.value.detach().unsqueeze(1);
  return at::where(counts == 0, at::zeros_like(sums), sums / counts);
}

at::Tensor VectorQuantization::RestartedCodes(const Tensor& parts, std::optional<at::Generator> generator) const {
  const int64_t n = parts.size(0);
  const Tensor restart = counts_.value.detach() * options_.k <= options_.restart_threshold * static_cast<double>(n);
  const Tensor indices = restart.nonzero().squeeze(1);
  const int64_t replaced = std::min(indices.size(0), n);
  // Where the batch has fewer vectors than are needed, the rest is noise.
  Tensor fresh = at::rand(sums_.value.sizes(), generator, parts.options());
  const Tensor chosen = at::randperm(n, generator, at::kLong).narrow(0, 0, replaced);
  fresh.index_copy_(0, indices.narrow(0, 0, replaced), parts.index_select(0, chosen));
  return at::where(restart.unsqueeze(1), fresh, Codes());
}

VectorQuantization::Output VectorQuantization::Quantize(const Tensor& x, const Tensor& parts,
                                                        const Tensor& codes) const {
  // |x|^2 is the same for every code.
  const Tensor distances = codes.square().sum(1) - 2 * at::matmul(parts, codes.t());
  const Tensor index = distances.argmin(1);
  std::vector<int64_t> shape = x.sizes().vec();
  const Tensor nearest = codes.index_select(0, index).reshape(shape);
  shape.back() = options_.num_heads;
  return {x + (nearest - x).detach(), index.reshape(shape)};
}

VectorQuantization::Output VectorQuantization::Forward(const Tensor& x) const { return Quantize(x, Parts(x), Codes()); }

VectorQuantization::Output VectorQuantization::Train(const Tensor& x, std::optional<at::Generator> generator) {
  const Tensor parts = Parts(x);
  Output output = Quantize(x, parts, RestartedCodes(parts, generator));
  const at::NoGradGuard no_grad;
  const Tensor index = output.c.reshape({-1});
  const Tensor counts = at::zeros_like(counts_.value).index_add_(0, index, at::ones({parts.size(0)}, parts.options()));
  const Tensor sums = at::zeros_like(sums_.value).index_add_(0, index, parts);
  counts_.value.lerp_(counts, 1 - options_.gamma);
  sums_.value.lerp_(sums, 1 - options_.gamma);
  return output;
}

at::Tensor VectorQuantization::Unquantize(const Tensor& c) const {
  DDSP_CHECK_ARGUMENT(c.dim() >= 1 && c.size(-1) == options_.num_heads, "c has shape ", c.sizes(), ", expected [..., ",
                      options_.num_heads, "]");
  std::vector<int64_t> shape = c.sizes().vec();
  shape.back() = sums_.shape[1] * options_.num_heads;
  return Codes().index_select(0, c.reshape({-1}).to(at::kLong)).reshape(shape);
}

at::Tensor VectorQuantization::CommitmentLoss(const Tensor& z, const Tensor& z_q) const {
  return options_.commitment_loss_weight * (z - z_q.detach()).square().mean();
}

void VectorQuantization::VisitParameters(const std::string& prefix, const ParameterVisitor& visit) {
  visit(prefix + "sums", sums_);
  visit(prefix + "counts", counts_);
}

}  // namespace ddsp
