#include "core/nn/spectral_normalization.h"

#include <ATen/core/grad_mode.h>

#include "core/dsp/argument.h"

namespace ddsp {
namespace {

using at::Tensor;

Tensor Unit(const Tensor& x) { return x * at::rsqrt(x.square().sum().clamp_min(1e-12)); }

void NormalizeKernel(Parameter& kernel) {
  SpectralNormalization& state = *kernel.spectral;
  const Tensor w = kernel.value.reshape({-1, kernel.value.size(-1)});
  Tensor u = state.u.value, v;
  for (int64_t i = 0; i < state.power_iterations; ++i) {
    v = Unit(at::matmul(u, w.t()));
    u = Unit(at::matmul(v, w));
  }
  const Tensor sigma = at::matmul(at::matmul(v, w), u.t()).squeeze();
  kernel.value.div_(at::where(sigma == 0, at::ones_like(sigma), sigma));
  state.u.value.copy_(u);
}

}  // namespace

void UseSpectralNormalization(Layer& layer, int64_t power_iterations) {
  DDSP_CHECK_ARGUMENT(power_iterations > 0, "power_iterations is ", power_iterations, ", expected 1 or more");
  bool found = false;
  layer.VisitParameters("", [&](const std::string& path, Parameter& parameter) {
    if (path != "kernel" && path != "embeddings") return;
    found = true;
    parameter.spectral = std::make_shared<SpectralNormalization>(
        SpectralNormalization{power_iterations, {{1, parameter.shape.back()}, 0.0, 0.02}});
    parameter.spectral->u.initializer = Initializer::kTruncatedNormal;
  });
  DDSP_CHECK_ARGUMENT(found, "layer has neither kernel nor embeddings to normalise");
}

void VisitWrapped(Layer& layer, const std::string& prefix, const ParameterVisitor& visit) {
  bool wrapped = false;
  layer.VisitParameters("",
                        [&](const std::string&, Parameter& parameter) { wrapped |= parameter.spectral != nullptr; });
  layer.VisitParameters("", [&](const std::string& path, Parameter& parameter) {
    if (parameter.spectral == nullptr) return visit(prefix + (wrapped ? "layer/" : "") + path, parameter);
    visit(prefix + "w", parameter);
    visit(prefix + "u", parameter.spectral->u);
  });
}

void NormalizeWeights(Layer& layer) {
  const at::NoGradGuard no_grad;
  layer.VisitParameters("", [](const std::string&, Parameter& parameter) {
    if (parameter.spectral != nullptr) NormalizeKernel(parameter);
  });
}

}  // namespace ddsp
