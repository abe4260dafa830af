// Features to network inputs (upstream: training/preprocessing.py). Levels in dB and pitch in Hz are [batch, frames,
// 1].
#pragma once

#include <ATen/ATen.h>

#include "core/dsp/loudness.h"
#include "core/dsp/named_tensors.h"

namespace ddsp {

inline constexpr double kF0Range = 127.0;  // MIDI notes

at::Tensor ScaleDb(const at::Tensor& db);           // [-80, 0] dB to [0, 1]; upstream: scale_db
at::Tensor InvScaleDb(const at::Tensor& scaled);    // upstream: inv_scale_db
at::Tensor ScaleF0Hz(const at::Tensor& f0_hz);      // MIDI / 127; upstream: scale_f0_hz
at::Tensor InvScaleF0Hz(const at::Tensor& scaled);  // upstream: inv_scale_f0_hz
at::Tensor AtLeast3d(const at::Tensor& x);          // adds batch, then channel; upstream: at_least_3d

struct OnlinePowerOptions {
  int64_t frame_rate = 250;   // Hz
  int64_t frame_size = 1024;  // samples at 16 kHz
  FramePadding padding = FramePadding::kCenter;
};
// The VST recipe: power from `audio` [batch, samples] at 16 kHz beside a given pitch (f0_hz and f0_confidence [batch,
// frames(, 1)]). Returns f0_hz, pw_db, f0_scaled, pw_scaled and f0_confidence (as given). Throws ValueError if the
// pitch has not the number of frames that the audio has. Upstream: OnlineF0PowerPreprocessor with compute_f0 = False.
NamedTensors PreprocessOnlineF0Power(const at::Tensor& audio, const at::Tensor& f0_hz, const at::Tensor& f0_confidence,
                                     const OnlinePowerOptions& options);
// The same with the power given in dB instead of audio of n_samples. Upstream: compute_power = False.
NamedTensors PreprocessGivenF0Power(int64_t n_samples, const at::Tensor& pw_db, const at::Tensor& f0_hz,
                                    const at::Tensor& f0_confidence, const OnlinePowerOptions& options);

// The solo recipe: pitch and level resampled to time_steps. Returns f0_hz, loudness_db, f0_scaled, ld_scaled.
// Upstream: F0LoudnessPreprocessor, which recomputes the loudness from audio if it has compute_loudness.
NamedTensors PreprocessF0Loudness(const at::Tensor& loudness_db, const at::Tensor& f0_hz, int64_t time_steps);
// Returns f0_hz, pw_db, f0_scaled, pw_scaled. Upstream: F0PowerPreprocessor.
NamedTensors PreprocessF0Power(const at::Tensor& power_db, const at::Tensor& f0_hz, int64_t time_steps);

}  // namespace ddsp
