// Wavetable synthesis and delay lines read at a varying place (upstream: core.py).
#pragma once

#include <ATen/ATen.h>

namespace ddsp {

// Reads wavetables [batch, points] or [batch, samples, points] at phases [batch, samples(, 1)] in [0, 1], linearly
// interpolated and wrapping around: [batch, samples]. Upstream: linear_lookup.
at::Tensor LinearLookup(const at::Tensor& phase, const at::Tensor& wavetables);

// One period of cosine-phase harmonics: [batch, time, harmonics] to [batch, time, n_wavetable].
// Throws ValueError if n_wavetable is odd or less than twice the harmonics. Upstream:
// harmonic_distribution_to_wavetable.
at::Tensor HarmonicDistributionToWavetable(const at::Tensor& harmonic_distribution, int64_t n_wavetable = 2048);

struct WavetableOptions {
  int64_t n_samples = 64000;
  double sample_rate = 16000;  // Hz
};
// Audio [batch, n_samples] from frequencies (Hz) and amplitudes (linear) [batch, frames, 1] and wavetables
// [batch, points] or [batch, frames, points]. The first sample
// has phase 0; the phase is accumulated in double (upstream: float32). Upstream: wavetable_synthesis.
at::Tensor WavetableSynthesis(const at::Tensor& frequencies, const at::Tensor& amplitudes, const at::Tensor& wavetables,
                              const WavetableOptions& options = {});

// What a delay line does for phases beyond its last sample, in ((max_length - 1) / max_length, 1].
enum class DelayEnd {
  kHold,  // stays at the longest delay
  kWrap,  // interpolates back towards delay 0: upstream
};
// Delays audio [batch, samples] by phase * max_length samples, phase [batch, samples, 1] in [0, 1]; before the start
// there is silence. Upstream: variable_length_delay.
at::Tensor VariableLengthDelay(const at::Tensor& phase, const at::Tensor& audio, int64_t max_length = 512,
                               DelayEnd end = DelayEnd::kHold);

}  // namespace ddsp
