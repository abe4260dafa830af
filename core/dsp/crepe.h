// What surrounds the network of the CREPE pitch tracker (upstream: spectral_ops.py, PretrainedCREPE). The network's
// activations are over 360 bins of 20 cents from 31.7 Hz; crepe_network.h computes them.
#pragma once

#include <ATen/ATen.h>

namespace ddsp {

inline constexpr int64_t kCrepeFrameSize = 1024;  // samples at 16 kHz
inline constexpr int64_t kCrepeBins = 360;

// Frames of audio [batch, samples], all below each other: [batch * frames, 1024]. Upstream: batch_frames.
at::Tensor CrepeFrames(const at::Tensor& audio, int64_t hop_size = 160);
// Each frame with zero mean and unit variance; a constant frame is divided by 1e-8. Upstream: normalize_frames.
at::Tensor CrepeNormalize(const at::Tensor& frames);

struct CrepePitch {
  at::Tensor f0_hz;       // [frames]
  at::Tensor confidence;  // the largest activation, [frames, 1]
};
// activations [frames, 360]; the pitch is the mean of the ten bins around `centers` [frames] (undefined: the largest),
// weighted by activation; bins beyond the ends count as the end bins. Upstream: activations_to_f0_and_confidence.
CrepePitch CrepeDecode(const at::Tensor& activations, const at::Tensor& centers = {});

// The most likely bins [batch, time] of activations [batch, time, 360], jumps of up to eleven bins allowed. Upstream:
// viterbi_decode.
at::Tensor CrepeViterbi(const at::Tensor& activations);

}  // namespace ddsp
