// Notes from pitch and amplitude by a hidden Markov model (upstream: losses.py, HmmTranscriber).
#pragma once

#include <ATen/ATen.h>

namespace ddsp {

// States are MIDI notes, state 0 is silence; pitch (MIDI) and amplitude are Gaussian around what a state expects.
class HmmTranscriber {
 public:
  struct Options {
    double avg_length = 200;  // steps that a note lasts on average
    double midi_std = 0.5;
    double amps_on_center = 1.5, amps_on_scale = 0.5;
    double amps_off_center = 0.0, amps_off_scale = 0.1;
    int64_t n_pitches = 128;
    double weight = 1.0;
  };
  explicit HmmTranscriber(const Options& options);

  // pitch, amps [batch, time, 1]. The weighted negative log-likelihood per step, averaged over the batch;
  // differentiable.
  at::Tensor Nll(const at::Tensor& pitch, const at::Tensor& amps) const;
  // The most likely states [batch, time, 1], float.
  at::Tensor PredictMidi(const at::Tensor& pitch, const at::Tensor& amps) const;

 private:
  at::Tensor Observations(const at::Tensor& pitch,
                          const at::Tensor& amps) const;  // log likelihoods [batch, time, states]

  const Options options_;
  at::Tensor transitions_;  // log probabilities [from, to]
};

}  // namespace ddsp
