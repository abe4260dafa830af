#include "core/losses/spectral_loss.h"

#include "core/dsp/argument.h"
#include "core/dsp/arrays.h"
#include "core/dsp/loudness.h"
#include "core/dsp/safe_math.h"
#include "core/dsp/spectrogram.h"
#include "core/losses/fused_spectral_loss.h"

namespace ddsp {

using at::Tensor;

namespace {

void CheckShapes(const Tensor& target_audio, const Tensor& audio) {
  DDSP_CHECK_ARGUMENT(audio.dim() == 2 && target_audio.sizes() == audio.sizes(), "target_audio has shape ",
                      target_audio.sizes(), " and audio ", audio.sizes(), ", expected [batch, samples] for both");
}

}  // namespace

SpectralTerms SpectralLoss::ScaleTerms(int64_t fft_size, const Tensor& target, const Tensor& value,
                                       const Tensor& weights) const {
  const auto difference = [&](double weight, const Tensor& a, const Tensor& b) {
    return weight * MeanDifference(a, b, options_.loss_type, weights);
  };
  SpectralTerms terms;
  terms.fft_size = fft_size;
  if (options_.mag_weight > 0) terms.mag = difference(options_.mag_weight, target, value);
  if (options_.delta_time_weight > 0 && value.size(1) > 1) {
    terms.delta_time = difference(options_.delta_time_weight, Diff(target, 1), Diff(value, 1));
  }
  if (options_.delta_freq_weight > 0)
    terms.delta_freq = difference(options_.delta_freq_weight, Diff(target, 2), Diff(value, 2));
  if (options_.cumsum_freq_weight > 0) {
    terms.cumsum_freq = difference(options_.cumsum_freq_weight, at::cumsum(target, 2), at::cumsum(value, 2));
  }
  if (options_.logmag_weight > 0) {
    const double floor = options_.log_floor;
    terms.logmag = difference(options_.logmag_weight, SafeLog(target + floor), SafeLog(value + floor));
  }
  return terms;
}

SpectralLossResult SpectralLoss::Compute(const Tensor& target_audio, const Tensor& audio, const Tensor& weights) const {
  CheckShapes(target_audio, audio);
  SpectralLossResult result;
  result.total = at::zeros({}, audio.options().requires_grad(false));
  for (const int64_t size : options_.fft_sizes) {
    StftOptions stft;
    stft.frame_size = size;
    SpectralTerms terms = ScaleTerms(size, ComputeMag(target_audio, stft), ComputeMag(audio, stft), weights);
    for (const Tensor& term : {terms.mag, terms.delta_time, terms.delta_freq, terms.cumsum_freq, terms.logmag}) {
      if (term.defined()) result.total = result.total + term;
    }
    result.scales.push_back(std::move(terms));
  }
  if (options_.loudness_weight > 0) {
    LevelOptions level;
    level.frame_size = 2048;
    const Tensor target = ComputeLoudness(target_audio, level), value = ComputeLoudness(audio, level);
    result.loudness = options_.loudness_weight * MeanDifference(target, value, options_.loss_type, weights);
    result.total = result.total + result.loudness;
  }
  return result;
}

at::Tensor SpectralLoss::operator()(const Tensor& target_audio, const Tensor& audio, const Tensor& weights) const {
  CheckShapes(target_audio, audio);
  if (CanFuseSpectralLoss(options_, target_audio, audio, weights)) {
    return FusedSpectralLoss(options_, target_audio, audio);
  }
  return Compute(target_audio, audio, weights).total;
}

}  // namespace ddsp
