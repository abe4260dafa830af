// Small operations on the axes of tensors (upstream: core.py, utilities).
#pragma once

#include <ATen/ATen.h>

namespace ddsp {

// Zero-pads one axis by `before` and `after` elements. Throws ValueError for an axis out of range and negative padding.
// Upstream: pad_axis.
at::Tensor PadAxis(const at::Tensor& x, int64_t before, int64_t after, int64_t axis = 0);

// Forward difference along an axis, one element shorter. Throws ValueError if the axis is out of range. Upstream: diff.
at::Tensor Diff(const at::Tensor& x, int64_t axis = -1);

// Replaces NaN by `value`. Upstream: nan_to_num.
at::Tensor NanToNum(const at::Tensor& x, double value = 0.0);

// Removes frame_size / 2 samples (rounded down) from both ends of axis 1: the inverse of centred padding. Upstream:
// center_crop, which returns an empty signal for frame sizes 0 and 1, where there is nothing to remove; here the input
// comes back.
at::Tensor CenterCrop(const at::Tensor& audio, int64_t frame_size);

}  // namespace ddsp
