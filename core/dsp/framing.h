// Cutting signals into overlapping frames (upstream: spectral_ops.py, pad and get_framed_lengths).
#pragma once

#include <ATen/ATen.h>

#include <string_view>

namespace ddsp {

enum class FramePadding {
  kValid,   // none: (n - frame) / hop + 1 frames
  kSame,    // at the end: ceil(n / hop) frames
  kCenter,  // frame / 2 at both ends, so that frame t is centred at t * hop: n / hop + 1 frames
};
// Upstream names: "valid", "same", "center". Throws ValueError for others.
FramePadding ParseFramePadding(std::string_view name);

// What the padding is made of: zeros (or a value), the signal mirrored about its end sample, or about its edge.
enum class PadMode { kConstant, kReflect, kSymmetric };

struct FramedLengths {
  int64_t n_frames;
  int64_t padded_length;  // for an odd frame_size and kCenter one more than PadForFrames() gives, as upstream
};
// Of `input_length` samples. Upstream: get_framed_lengths.
FramedLengths GetFramedLengths(int64_t input_length, int64_t frame_size, int64_t hop_size, FramePadding padding);

struct PadOptions {
  FramePadding padding = FramePadding::kCenter;
  int64_t axis = 1;  // 0 for 1-D tensors, whatever this says
  PadMode mode = PadMode::kConstant;
  double constant_value = 0.0;
};
// Throws ValueError if hop_size > frame_size (except for kValid). Upstream: pad.
at::Tensor PadForFrames(const at::Tensor& x, int64_t frame_size, int64_t hop_size, const PadOptions& options = {});

// Frames along the last axis, [..., frames, frame_size], a view. With kSame the end is padded with zeros.
at::Tensor Frames(const at::Tensor& x, int64_t frame_size, int64_t hop_size,
                  FramePadding padding = FramePadding::kValid);

// Pads the last axis with pad_value, or cuts it, to expected_len. Throws ValueError if the length differs by more than
// the tolerance. Upstream: pad_or_trim_to_expected_length.
at::Tensor PadOrTrim(const at::Tensor& vector, int64_t expected_len, double pad_value = 0.0,
                     int64_t len_tolerance = 20);

}  // namespace ddsp
