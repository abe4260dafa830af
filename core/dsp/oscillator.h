// Additive synthesis (upstream: core.py, harmonic synthesizer). Frame-wise controls are [batch, frames, channels],
// sample-wise envelopes [batch, samples, channels], audio [batch, samples].
#pragma once

#include <ATen/ATen.h>

#include "core/dsp/resample.h"

namespace ddsp {

// How frequency becomes phase. Upstream's forms lose phase in float32 (0.2 of full scale after 4 s with 60 harmonics),
// so the default is exact; the others are for comparison with upstream.
enum class PhaseAccumulation {
  kExact,          // in double, wrapped; gradients too
  kCumsum,         // float32 sum; upstream's default
  kAngularCumsum,  // float32 in chunks of 1000 samples, wrapped; upstream: use_angular_cumsum
  // The same inside a tf.function, as upstream trains: TensorFlow's graph optimiser folds 2 pi / sample_rate into one
  // constant, rounded twice. It tells in gradients of quiet bins.
  kTracedAngularCumsum,
};

// Running sum of radians per sample along axis 1, modulo 2 pi, in chunks. Upstream: angular_cumsum.
at::Tensor AngularCumsum(const at::Tensor& angular_frequency, int64_t chunk_size = 1000);

// Phase in radians after each sample (the first is already one step), from frequencies in Hz [batch, samples,
// channels].
at::Tensor PhaseOf(const at::Tensor& frequency_hz, double sample_rate, PhaseAccumulation accumulation);

// Amplitudes with those zeroed whose frequency is at or above sample_rate / 2. Upstream: remove_above_nyquist.
at::Tensor RemoveAboveNyquist(const at::Tensor& frequency_envelopes, const at::Tensor& amplitude_envelopes,
                              double sample_rate = 16000);

// The distribution [..., harmonics] divided by its sum; an all-zero row stays zero. The second form first removes what
// is above Nyquist for f0_hz [..., 1]. Upstream: normalize_harmonics.
at::Tensor NormalizeHarmonics(const at::Tensor& harmonic_distribution);
at::Tensor NormalizeHarmonics(const at::Tensor& harmonic_distribution, const at::Tensor& f0_hz, double sample_rate);

// f0 [batch, time, 1] times 1 ... n_harmonics. Upstream: get_harmonic_frequencies.
at::Tensor GetHarmonicFrequencies(const at::Tensor& frequencies, int64_t n_harmonics);

struct OscillatorOptions {
  double sample_rate = 16000;  // Hz
  PhaseAccumulation accumulation = PhaseAccumulation::kExact;
};

// Independent sinusoids, silenced sample by sample at and above Nyquist: [batch, samples, sinusoids].
at::Tensor Oscillators(const at::Tensor& frequency_envelopes, const at::Tensor& amplitude_envelopes,
                       const OscillatorOptions& options = {});
// Their sum [batch, samples]. Upstream: oscillator_bank.
at::Tensor OscillatorBank(const at::Tensor& frequency_envelopes, const at::Tensor& amplitude_envelopes,
                          const OscillatorOptions& options = {});

struct ContinuedAudio {
  at::Tensor audio;        // [batch, samples]
  at::Tensor final_phase;  // [batch, 1, 1], radians of the fundamental in [0, 2 pi): initial_phase of the next call
};

// Harmonics of one phase; nothing is removed above Nyquist. Continues from initial_phase [batch, 1, 1] (undefined:
// zero). Upstream: harmonic_oscillator_bank, which does not wrap final_phase, so that it loses precision over a
// session.
ContinuedAudio HarmonicOscillatorBank(const at::Tensor& frequency, const at::Tensor& amplitude_envelopes,
                                      const at::Tensor& initial_phase = {}, const OscillatorOptions& options = {});

struct HarmonicControls {
  at::Tensor frequencies;  // f0, Hz, [batch, frames, 1]
  at::Tensor amplitudes;   // [batch, frames, 1]
  at::Tensor
      harmonic_distribution;   // [batch, frames, harmonics]; undefined: one harmonic, or as many as there are shifts
  at::Tensor harmonic_shifts;  // relative deviation of each harmonic, [batch, frames, harmonics]; undefined: none
};

struct HarmonicSynthesisOptions {
  int64_t n_samples = 64000;
  double sample_rate = 16000;  // Hz
  Interpolation amp_resample_method = Interpolation::kWindow;
  PhaseAccumulation accumulation = PhaseAccumulation::kExact;
};

// Audio of a harmonic source from frame-wise controls. The distribution is not normalised here. Upstream:
// harmonic_synthesis.
at::Tensor HarmonicSynthesis(const HarmonicControls& controls, const HarmonicSynthesisOptions& options = {});

// The same continued from `initial_phase`, with the distribution normalised and limited to below Nyquist at frame rate.
// Upstream: streaming_harmonic_synthesis (amp_resample_method 'linear', angular cumulative sum).
ContinuedAudio StreamingHarmonicSynthesis(const HarmonicControls& controls, const at::Tensor& initial_phase,
                                          const HarmonicSynthesisOptions& options);

}  // namespace ddsp
