// Controls from frame rate to audio rate (upstream: core.py, resample and upsample_with_windows).
#pragma once

#include <ATen/ATen.h>

#include <string_view>

namespace ddsp {

enum class Interpolation {
  kNearest,
  kLinear,
  kCubic,   // Keys' kernel, a = -0.75, in 1024 steps
  kWindow,  // overlapping Hann windows; upsampling only, by an integer factor
};

// Upstream names: "nearest", "linear", "cubic", "window". Throws ValueError for others.
Interpolation ParseInterpolation(std::string_view name);

// What follows the last frame. kHold: the frame is held for one more interval, so n samples fall into `frames` equal
// intervals. kLast: it is the end point of the last of `frames - 1` intervals. Upstream: add_endpoint = true, false.
enum class Endpoint { kHold, kLast };

// Interpolates [frames], [batch, frames], [batch, frames, channels] or [batch, frames, bins, channels] along the
// frames: sample i reads position i * frames / n_timesteps. No filter against aliasing when n_timesteps < frames.
// Throws ValueError: more than 4 axes; kWindow with 4 axes, with n_timesteps not a multiple of the intervals, or not
// upsampling.
at::Tensor Resample(const at::Tensor& inputs, int64_t n_timesteps, Interpolation method = Interpolation::kLinear,
                    Endpoint endpoint = Endpoint::kHold);

// kWindow for [batch, frames, channels]:
//   out[k * hop + m] = x[k] (1 + cos(pi m / hop)) / 2 + x[k + 1] (1 - cos(pi m / hop)) / 2.
at::Tensor UpsampleWithWindows(const at::Tensor& inputs, int64_t n_timesteps, Endpoint endpoint = Endpoint::kHold);

}  // namespace ddsp
