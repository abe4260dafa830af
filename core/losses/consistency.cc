#include "core/losses/consistency.h"

#include <cmath>

#include "core/dsp/argument.h"
#include "core/dsp/arrays.h"
#include "core/dsp/safe_math.h"
#include "core/dsp/units.h"

namespace ddsp {
namespace {

using at::Tensor;

Tensor NormalLogProb(const Tensor& x, const Tensor& centre, double scale) {
  return -0.5 * ((x - centre) / scale).square() - std::log(scale) - 0.5 * std::log(2 * M_PI);
}

// Log density at x [batch, time, points] of Gaussians at `centres` with the shares `amps`, both [batch, time,
// sinusoids].
Tensor KernelDensity(const Tensor& x, const Tensor& centres, const Tensor& amps, double scale) {
  const Tensor positive = at::where(amps == 0, at::full_like(amps, 1e-7), amps);
  const Tensor shares = SafeDivide(positive, positive.sum(-1, /*keepdim=*/true));
  return at::logsumexp(at::log(shares).unsqueeze(2) + NormalLogProb(x.unsqueeze(3), centres.unsqueeze(2), scale), {-1});
}

// Cumulative weights of samples sorted by value, looked up at `at`: the distribution function there.
Tensor DistributionAt(const WeightedSamples& samples, const Tensor& at, SampleWeights weights) {
  const auto [sorted, order] = at::sort(samples.values, -1);
  const Tensor cumulative = PadAxis(at::cumsum(at::gather(samples.weights, -1, order), -1), 1, 0, -1);
  const Tensor index =
      at::searchsorted(sorted.detach().contiguous(), at.detach().contiguous(), /*out_int32=*/false, /*right=*/true);
  const Tensor distribution = at::gather(cumulative, -1, index);
  if (weights == SampleWeights::kAsGiven) return distribution;
  return SafeDivide(distribution, cumulative.narrow(-1, cumulative.size(-1) - 1, 1));
}

Tensor KdeNll(const SinusoidSet& source, const SinusoidSet& target, double scale) {
  const Tensor log_prob = KernelDensity(HzToMidi(source.freqs), HzToMidi(target.freqs), target.amps, scale);
  const Tensor shares = SafeDivide(source.amps, source.amps.sum(-1, /*keepdim=*/true));
  return (-log_prob * shares).mean(-1);
}

Tensor Weighted(const TwmTensors& tensors, const TwmOptions& options) {
  return options.sinusoids_weight * tensors.sinusoids_loss + options.harmonics_weight * tensors.harmonics_loss;
}

}  // namespace

at::Tensor AmpLoss(const Tensor& amp, const Tensor& amp_target, LossType type, const Tensor& weights) {
  return MeanDifference(amp, amp_target, type, weights);
}

at::Tensor LogAmpLoss(const Tensor& amp, const Tensor& amp_target, LossType type, const Tensor& weights, double floor) {
  const auto log = [&](const Tensor& x) { return Log10(at::where(x > floor, x, at::full_like(x, floor))); };
  return MeanDifference(log(amp), log(amp_target), type, weights);
}

at::Tensor FreqLoss(const Tensor& f_hz, const Tensor& f_hz_target, LossType type, const Tensor& weights) {
  return MeanDifference(HzToMidi(f_hz), HzToMidi(f_hz_target), type, weights);
}

HarmonicConsistency HarmonicConsistencyLoss(const HarmonicControlSet& value, const HarmonicControlSet& target,
                                            const HarmonicConsistencyOptions& options) {
  const Tensor loud = (target.amp >= options.amp_threshold).to(value.amp.scalar_type());
  return {options.amp_weight * AmpLoss(value.amp, target.amp),
          options.dist_weight * AmpLoss(value.dist, target.dist, LossType::kL1, loud),
          options.f0_weight * FreqLoss(value.f0_hz, target.f0_hz, LossType::kL1, loud)};
}

at::Tensor WassersteinDistance(const WeightedSamples& u, const WeightedSamples& v, double p, SampleWeights weights) {
  const Tensor all = std::get<0>(at::sort(at::cat({u.values, v.values}, -1), -1));
  const Tensor starts = all.narrow(-1, 0, all.size(-1) - 1);
  const Tensor difference = at::abs(DistributionAt(u, starts, weights) - DistributionAt(v, starts, weights));
  return at::pow((Diff(all, -1) * at::pow(difference, p)).sum(-1), 1.0 / p);
}

at::Tensor WassersteinConsistencyLoss(const SinusoidSet& a, const SinusoidSet& b, double weight) {
  return weight * WassersteinDistance({HzToMidi(a.freqs), a.amps}, {HzToMidi(b.freqs), b.amps}).mean();
}

at::Tensor KdeConsistencyLoss(const SinusoidSet& a, const SinusoidSet& b, const KdeConsistencyOptions& options) {
  Tensor loss = at::zeros({}, a.amps.options().requires_grad(false));
  if (options.weight_a > 0) loss = loss + options.weight_a * KdeNll(a, b, options.scale_b).mean();
  if (options.weight_b > 0) loss = loss + options.weight_b * KdeNll(b, a, options.scale_a).mean();
  if (options.weight_mean_amp > 0)
    loss = loss + options.weight_mean_amp * at::abs(a.amps.mean(-1) - b.amps.mean(-1)).mean();
  return loss;
}

TwmTensors TwmLossTensors(const Tensor& f0_candidates, const SinusoidSet& sinusoids, const TwmOptions& options) {
  const at::TensorOptions plain = f0_candidates.options().requires_grad(false);
  // How well sinusoids lie on the harmonics of a candidate: Gaussians at 1, 2, ... times f0.
  const Tensor ratios = SafeDivide(sinusoids.freqs.unsqueeze(2), f0_candidates.unsqueeze(3));
  const Tensor centres = at::arange(1, options.n_harmonic_gaussians + 1, plain);
  const Tensor log_prob = at::logsumexp(NormalLogProb(ratios.unsqueeze(4), centres, options.harmonics_scale), {-1}) -
                          std::log(static_cast<double>(options.n_harmonic_gaussians));
  const Tensor amps = sinusoids.amps.unsqueeze(2);
  const Tensor sinusoids_loss = SafeDivide((-log_prob * amps).sum(-1), amps.sum(-1));

  // How well the harmonics of a candidate are covered by sinusoids.
  const int64_t points = options.n_harmonic_points;
  const Tensor harmonics =
      HzToMidi(f0_candidates.unsqueeze(3) * at::arange(1, points + 1, plain));  // [batch, time, candidates, points]
  const Tensor density =
      KernelDensity(harmonics.flatten(2, 3), HzToMidi(sinusoids.freqs), sinusoids.amps, options.sinusoids_scale);
  const Tensor prior = at::linspace(1.0, 1.0 / static_cast<double>(points), points, plain);
  const Tensor audible = (harmonics < HzToMidi(options.sample_rate / 2)).to(plain.dtype());
  const Tensor share = SafeDivide(audible, audible.mean(-1, /*keepdim=*/true));
  return {sinusoids_loss, (-density.view_as(harmonics) * prior * share).mean(-1)};
}

at::Tensor TwmLoss(const Tensor& f0_candidates, const SinusoidSet& sinusoids, const TwmOptions& options) {
  const Tensor loss = Weighted(TwmLossTensors(f0_candidates, sinusoids, options), options);
  return (loss * at::softmax(-loss / options.softmin_temperature, -1)).mean();
}

at::Tensor TwmPredictF0(const Tensor& f0_candidates, const SinusoidSet& sinusoids, const TwmOptions& options) {
  const Tensor loss = Weighted(TwmLossTensors(f0_candidates, sinusoids, options), options);
  const Tensor best = at::where(at::isnan(loss), at::full_like(loss, INFINITY), loss).argmin(-1, /*keepdim=*/true);
  return at::gather(f0_candidates, -1, best);
}

at::Tensor EmbeddingLoss(const std::function<Tensor(const Tensor&)>& model, const Tensor& target_audio,
                         const Tensor& audio, double weight, LossType type) {
  return weight * MeanDifference(model(target_audio), model(audio), type);
}

}  // namespace ddsp
