// Multi-scale spectral loss (upstream: losses.py, SpectralLoss).
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "core/losses/mean_difference.h"

namespace ddsp {

// Compares short-time magnitude spectra (Hann windows of each size, three quarters overlapping) in up to five ways. A
// term whose weight is 0 is not computed. Defaults are upstream's; the published recipes also set logmag_weight to 1.
struct SpectralLossOptions {
  std::vector<int64_t> fft_sizes = {2048, 1024, 512, 256, 128, 64};  // window lengths
  LossType loss_type = LossType::kL1;
  double mag_weight = 1.0;
  double delta_time_weight = 0.0;   // of differences between frames; a scale of one frame has none (upstream: NaN)
  double delta_freq_weight = 0.0;   // of differences between bins
  double cumsum_freq_weight = 0.0;  // of cumulative sums over bins
  double logmag_weight = 0.0;       // of SafeLog magnitudes
  // Added to magnitudes before the logarithm. Upstream has none, so that the gradient of a quiet bin is as large as the
  // bin is quiet, down to the noise of rounding.
  double log_floor = 0.0;
  double loudness_weight = 0.0;     // of ComputeLoudness with an FFT of 2048, for audio at 16 kHz
};

// The loss of the published recipes: magnitudes and their logarithms.
inline SpectralLossOptions RecipeSpectralLoss() {
  SpectralLossOptions options;
  options.logmag_weight = 1.0;
  return options;
}

// Weighted terms of one scale; undefined where the weight is 0.
struct SpectralTerms {
  int64_t fft_size = 0;
  at::Tensor mag, delta_time, delta_freq, cumsum_freq, logmag;
};

struct SpectralLossResult {
  at::Tensor total;  // scalar, the sum of all that follows
  std::vector<SpectralTerms> scales;
  at::Tensor loudness;  // weighted; undefined where the weight is 0
};

class SpectralLoss {
 public:
  explicit SpectralLoss(SpectralLossOptions options = {}) : options_(std::move(options)) {}
  const SpectralLossOptions& options() const { return options_; }

  // Each term by itself, in plain operations. target_audio, audio [batch, samples]; weights undefined or broadcast over
  // [batch, frames, bins]. Nothing is spent on gradients for a target that needs none. Throws ValueError for shapes that
  // do not match.
  SpectralLossResult Compute(const at::Tensor& target_audio, const at::Tensor& audio,
                             const at::Tensor& weights = {}) const;

  // The total alone; fused where that is possible (fused_spectral_loss.h).
  at::Tensor operator()(const at::Tensor& target_audio, const at::Tensor& audio, const at::Tensor& weights = {}) const;

 private:
  SpectralTerms ScaleTerms(int64_t fft_size, const at::Tensor& target_mag, const at::Tensor& mag,
                           const at::Tensor& weights) const;

  const SpectralLossOptions options_;
};

}  // namespace ddsp
