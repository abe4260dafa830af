#include "core/losses/hmm_transcriber.h"

#include <cmath>

#include "core/dsp/argument.h"
#include "core/dsp/viterbi.h"

namespace ddsp {
namespace {

using at::Tensor;

Tensor NormalLogProb(const Tensor& x, const Tensor& centre, const Tensor& scale) {
  return -0.5 * ((x - centre) / scale).square() - at::log(scale) - 0.5 * std::log(2 * M_PI);
}

// `first` for state 0, `rest` for the others.
Tensor FirstAndRest(int64_t states, double first, double rest) {
  Tensor values = at::full({states}, rest, at::kDouble);
  values[0] = first;
  return values;
}

}  // namespace

HmmTranscriber::HmmTranscriber(const Options& options) : options_(options) {
  DDSP_CHECK_ARGUMENT(options.n_pitches > 1 && options.avg_length > 0, "n_pitches is ", options.n_pitches,
                      " and avg_length ", options.avg_length, ", expected at least 2 and a positive number");
  const double hold = 1.0 - 1.0 / options.avg_length;
  const double other = (1.0 - hold) / static_cast<double>(options.n_pitches - 1);
  const Tensor probabilities = (hold - other) * at::eye(options.n_pitches, at::kDouble) + other;
  transitions_ = at::log(probabilities / probabilities.sum(1, /*keepdim=*/true));
}

at::Tensor HmmTranscriber::Observations(const Tensor& pitch, const Tensor& amps) const {
  DDSP_CHECK_ARGUMENT(pitch.dim() == 3 && pitch.size(2) == 1 && amps.sizes() == pitch.sizes(), "pitch has shape ",
                      pitch.sizes(), " and amps ", amps.sizes(), ", expected [batch, time, 1] for both");
  const int64_t states = options_.n_pitches;
  Tensor centre = at::arange(states, at::kDouble);
  centre[0] = static_cast<double>(states) / 2;
  const Tensor of_pitch = NormalLogProb(pitch.to(at::kDouble), centre,
                                        FirstAndRest(states, static_cast<double>(states), options_.midi_std));
  return of_pitch + NormalLogProb(amps.to(at::kDouble),
                                  FirstAndRest(states, options_.amps_off_center, options_.amps_on_center),
                                  FirstAndRest(states, options_.amps_off_scale, options_.amps_on_scale));
}

at::Tensor HmmTranscriber::Nll(const Tensor& pitch, const Tensor& amps) const {
  const Tensor observed = Observations(pitch, amps);
  const int64_t steps = observed.size(1);
  Tensor forward = observed.select(1, 0) - std::log(static_cast<double>(options_.n_pitches));
  for (int64_t t = 1; t < steps; ++t) {
    forward = at::logsumexp(forward.unsqueeze(2) + transitions_, {1}) + observed.select(1, t);
  }
  const Tensor nll = -at::logsumexp(forward, {1}) / static_cast<double>(steps);
  return options_.weight * nll.mean().to(pitch.scalar_type());
}

at::Tensor HmmTranscriber::PredictMidi(const Tensor& pitch, const Tensor& amps) const {
  return ViterbiPath(Observations(pitch, amps).detach(), transitions_).to(pitch.scalar_type()).unsqueeze(2);
}

}  // namespace ddsp
