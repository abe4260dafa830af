#include "core/dsp/crepe.h"

#include "core/dsp/argument.h"
#include "core/dsp/framing.h"
#include "core/dsp/viterbi.h"

namespace ddsp {

using at::Tensor;

at::Tensor CrepeFrames(const Tensor& audio, int64_t hop_size) {
  if (audio.size(-1) == kCrepeFrameSize) return audio;
  return Frames(audio, kCrepeFrameSize, hop_size).reshape({-1, kCrepeFrameSize});
}

at::Tensor CrepeNormalize(const Tensor& frames) {
  const Tensor centred = frames - frames.mean(-1, /*keepdim=*/true);
  const Tensor variance = centred.square().mean(-1, /*keepdim=*/true);
  return centred / at::where(variance > 0, at::sqrt(variance), at::full_like(variance, 1e-8));
}

CrepePitch CrepeDecode(const Tensor& activations, const Tensor& centers) {
  DDSP_CHECK_ARGUMENT(activations.dim() == 2 && activations.size(1) == kCrepeBins, "activations have shape ",
                      activations.sizes(), ", expected [frames, 360]");
  const Tensor centre = centers.defined() ? centers.to(at::kLong) : activations.argmax(-1);
  const Tensor bins = (centre.unsqueeze(1) + at::arange(-4, 6, at::kLong)).clamp(0, kCrepeBins - 1);
  const Tensor cents = (at::linspace(0, 7180, kCrepeBins, at::kDouble) + 1997.3794084376191).to(activations.options());
  const Tensor weights = at::gather(activations, 1, bins);
  const Tensor f0_cents = (weights * cents.index_select(0, bins.flatten()).view_as(weights)).sum(-1) / weights.sum(-1);
  return {10 * at::pow(2.0, f0_cents / 1200), activations.amax(-1, /*keepdim=*/true)};
}

at::Tensor CrepeViterbi(const Tensor& activations) {
  const Tensor bins = at::arange(kCrepeBins, at::kDouble);
  const Tensor near = (12 - at::abs(bins.unsqueeze(0) - bins.unsqueeze(1))).clamp_min(1e-5);
  const Tensor transitions = at::log(near / near.sum(1, /*keepdim=*/true));
  constexpr double kSelfEmission = 0.1;
  const Tensor emissions = at::log(kSelfEmission * at::eye(kCrepeBins, at::kDouble) + (1 - kSelfEmission) / kCrepeBins);
  return ViterbiPath(at::matmul(activations.detach().to(at::kDouble), emissions.t()), transitions);
}

}  // namespace ddsp
