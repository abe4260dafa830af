// Level of audio over time, in dB (upstream: spectral_ops.py). Audio is [samples] or [batch, samples]; results have one
// value per frame, sample_rate / frame_rate samples (rounded down) apart. Full scale is 0 dB; everything is floored at
// -range_db.
#pragma once

#include <ATen/ATen.h>

#include "core/dsp/framing.h"
#include "core/dsp/units.h"

namespace ddsp {

struct LevelOptions {
  int64_t sample_rate = 16000;  // Hz
  int64_t frame_rate = 250;     // Hz
  int64_t frame_size = 512;     // samples; for loudness the FFT size, a power of two (upstream: n_fft)
  FramePadding padding = FramePadding::kCenter;
  double ref_db = 0.0;
  double range_db = kDbRange;
};

// Root mean square (linear). Its gradient is zero at silence, where upstream's is NaN. Upstream: compute_rms_energy.
at::Tensor ComputeRmsEnergy(const at::Tensor& audio, const LevelOptions& options = {});
// The same in dB. Upstream: compute_power.
at::Tensor ComputePower(const at::Tensor& audio, const LevelOptions& options = {});
// A-weighted power, averaged over the bins of a Hann-windowed FFT without normalisation, so that a full-scale tone of 1
// kHz is at +20 dB with the default size. Upstream: compute_loudness.
at::Tensor ComputeLoudness(const at::Tensor& audio, const LevelOptions& options = {});

// A-weighting in dB at frequencies in Hz (double), at least -80. As librosa's A_weighting.
at::Tensor AWeighting(const at::Tensor& hz);

}  // namespace ddsp
