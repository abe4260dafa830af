// Distances between controls of synthesisers (upstream: losses.py, the consistency losses). Controls are [batch, time,
// channels]; every function returns a scalar unless it says otherwise.
#pragma once

#include <ATen/ATen.h>

#include <functional>

#include "core/losses/mean_difference.h"

namespace ddsp {

// Amplitudes, or their base-10 logarithms floored at `floor`. Upstream: amp_loss with log = false, true.
at::Tensor AmpLoss(const at::Tensor& amp, const at::Tensor& amp_target, LossType type = LossType::kL1,
                   const at::Tensor& weights = {});
at::Tensor LogAmpLoss(const at::Tensor& amp, const at::Tensor& amp_target, LossType type = LossType::kL1,
                      const at::Tensor& weights = {}, double floor = 1e-5);
// Frequencies in Hz, compared in MIDI notes. Upstream: freq_loss.
at::Tensor FreqLoss(const at::Tensor& f_hz, const at::Tensor& f_hz_target, LossType type = LossType::kL1,
                    const at::Tensor& weights = {});

struct HarmonicConsistencyOptions {
  double amp_weight = 1.0, dist_weight = 1.0, f0_weight = 1.0;
  double amp_threshold = 1e-4;  // frames whose target is quieter do not count for distribution and f0
};
struct HarmonicControlSet {
  at::Tensor amp;    // [batch, time, 1]
  at::Tensor dist;   // [batch, time, harmonics]
  at::Tensor f0_hz;  // [batch, time, 1]
};
struct HarmonicConsistency {
  at::Tensor amp, dist, f0;  // weighted scalars
};
// Upstream: HarmonicConsistencyLoss.
HarmonicConsistency HarmonicConsistencyLoss(const HarmonicControlSet& value, const HarmonicControlSet& target,
                                            const HarmonicConsistencyOptions& options = {});

// Sinusoids: linear amplitudes > 0 and frequencies in Hz, [batch, time, sinusoids].
struct SinusoidSet {
  at::Tensor amps, freqs;
};

enum class SampleWeights {
  kNormalized,  // to a sum of one
  kAsGiven,     // upstream, which computes the normalisation and forgets it
};
// One-dimensional Wasserstein distance of weighted samples, [..., samples] to [...]; p = 1 Wasserstein, 2 energy.
// Upstream: wasserstein_distance.
struct WeightedSamples {
  at::Tensor values, weights;
};
at::Tensor WassersteinDistance(const WeightedSamples& u, const WeightedSamples& v, double p = 1.0,
                               SampleWeights weights = SampleWeights::kNormalized);
// The mean distance of two sets of sinusoids in MIDI notes. Upstream: WassersteinConsistencyLoss.
at::Tensor WassersteinConsistencyLoss(const SinusoidSet& a, const SinusoidSet& b, double weight = 1.0);

struct KdeConsistencyOptions {
  double weight_a = 1.0, weight_b = 1.0, weight_mean_amp = 1.0;
  double scale_a = 0.1, scale_b = 0.1;  // of the kernels, MIDI notes
};
// Likelihood of each set of sinusoids under a kernel density estimate of the other. Upstream: KDEConsistencyLoss.
at::Tensor KdeConsistencyLoss(const SinusoidSet& a, const SinusoidSet& b, const KdeConsistencyOptions& options = {});

struct TwmOptions {
  double sinusoids_weight = 1.0, harmonics_weight = 1.0;
  double sinusoids_scale = 0.5;  // MIDI notes
  double harmonics_scale = 0.2;  // relative to f0
  int64_t n_harmonic_points = 10, n_harmonic_gaussians = 30;
  double softmin_temperature = 1.0;
  double sample_rate = 16000;  // Hz
};
struct TwmTensors {
  at::Tensor sinusoids_loss, harmonics_loss;  // [batch, time, candidates]
};
// Two-way mismatch between sinusoids and the harmonics of f0 candidates [batch, time, candidates], Hz. Upstream:
// TWMLoss.
TwmTensors TwmLossTensors(const at::Tensor& f0_candidates, const SinusoidSet& sinusoids,
                          const TwmOptions& options = {});
at::Tensor TwmLoss(const at::Tensor& f0_candidates, const SinusoidSet& sinusoids, const TwmOptions& options = {});
// The best candidate, [batch, time, 1]. Upstream: TWMLoss.predict_f0.
at::Tensor TwmPredictF0(const at::Tensor& f0_candidates, const SinusoidSet& sinusoids, const TwmOptions& options = {});

// Distance of what a model makes of two signals [batch, samples]. Upstream: EmbeddingLoss.
at::Tensor EmbeddingLoss(const std::function<at::Tensor(const at::Tensor&)>& model, const at::Tensor& target_audio,
                         const at::Tensor& audio, double weight = 1.0, LossType type = LossType::kL1);

}  // namespace ddsp
