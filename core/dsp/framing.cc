#include "core/dsp/framing.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/base/integer.h"
#include "core/dsp/argument.h"
#include "core/dsp/arrays.h"

namespace ddsp {
namespace {

using at::Tensor;

void CheckSizes(int64_t frame_size, int64_t hop_size) {
  DDSP_CHECK_ARGUMENT(frame_size > 0 && hop_size > 0, "frame_size is ", frame_size, " and hop_size ", hop_size,
                      ", expected positive numbers");
}

// Index of the source of every padded element.
Tensor MirroredIndex(int64_t n, int64_t before, int64_t after, PadMode mode) {
  const int64_t edge = mode == PadMode::kReflect ? 1 : 0;
  DDSP_CHECK_ARGUMENT(std::max(before, after) + edge <= n, "padding is ", std::max(before, after),
                      ", expected at most ", n - edge, " for an axis of ", n, " in this mode");
  const Tensor head = at::arange(before - 1 + edge, edge - 1, -1, at::kLong);
  const Tensor tail = at::arange(n - 1 - edge, n - 1 - edge - after, -1, at::kLong);
  return at::cat({head, at::arange(n, at::kLong), tail});
}

}  // namespace

FramePadding ParseFramePadding(std::string_view name) {
  if (name == "valid") return FramePadding::kValid;
  if (name == "same") return FramePadding::kSame;
  if (name == "center") return FramePadding::kCenter;
  DDSP_CHECK_ARGUMENT(false, "padding is '", std::string(name), "', expected center, same or valid");
}

FramedLengths GetFramedLengths(int64_t input_length, int64_t frame_size, int64_t hop_size, FramePadding padding) {
  CheckSizes(frame_size, hop_size);
  const auto frames = [&](int64_t length) { return FloorDiv(length - frame_size, hop_size) + 1; };
  switch (padding) {
    case FramePadding::kValid:
      return {frames(input_length), input_length};
    case FramePadding::kCenter:
      return {frames(input_length + frame_size), input_length + frame_size};
    case FramePadding::kSame:
      break;
  }
  const int64_t n_frames = CeilDiv(input_length, hop_size);
  return {n_frames, (n_frames - 1) * hop_size + frame_size};
}

at::Tensor PadForFrames(const Tensor& x, int64_t frame_size, int64_t hop_size, const PadOptions& options) {
  CheckSizes(frame_size, hop_size);
  if (options.padding == FramePadding::kValid) return x;
  DDSP_CHECK_ARGUMENT(hop_size <= frame_size, "hop_size is ", hop_size, ", expected at most the frame_size, ",
                      frame_size);
  const int64_t axis = x.dim() <= 1 ? 0 : options.axis;
  DDSP_CHECK_ARGUMENT(axis >= 0 && axis < x.dim(), "axis is ", axis, " but the tensor has ", x.dim(), " axes");
  const int64_t n = x.size(axis);
  const bool centred = options.padding == FramePadding::kCenter;
  const int64_t before = centred ? frame_size / 2 : 0;
  const int64_t after =
      centred ? before
              : std::max<int64_t>(0, GetFramedLengths(n, frame_size, hop_size, options.padding).padded_length - n);
  if (options.mode != PadMode::kConstant)
    return at::index_select(x, axis, MirroredIndex(n, before, after, options.mode));
  std::vector<int64_t> padding(2 * (x.dim() - axis), 0);
  padding[padding.size() - 2] = before;
  padding[padding.size() - 1] = after;
  return at::constant_pad_nd(x, padding, options.constant_value);
}

at::Tensor Frames(const Tensor& x, int64_t frame_size, int64_t hop_size, FramePadding padding) {
  CheckSizes(frame_size, hop_size);
  const int64_t n = x.size(-1);
  if (padding == FramePadding::kSame) {
    const int64_t frames = std::max<int64_t>(1, CeilDiv(n, hop_size));
    const int64_t padded = (frames - 1) * hop_size + frame_size;
    return PadAxis(x, 0, std::max<int64_t>(0, padded - n), -1)
        .narrow(-1, 0, std::max(padded, frame_size))
        .unfold(-1, frame_size, hop_size);
  }
  DDSP_CHECK_ARGUMENT(n >= frame_size, "signal of ", n, " samples is shorter than a frame of ", frame_size);
  return x.unfold(-1, frame_size, hop_size);
}

at::Tensor PadOrTrim(const Tensor& vector, int64_t expected_len, double pad_value, int64_t len_tolerance) {
  const int64_t length = vector.size(-1);
  DDSP_CHECK_ARGUMENT(std::abs(length - expected_len) <= len_tolerance, "vector length is ", length, ", expected ",
                      expected_len, " within a tolerance of ", len_tolerance);
  if (length >= expected_len) return vector.narrow(-1, 0, expected_len);
  return at::constant_pad_nd(vector, {0, expected_len - length}, pad_value);
}

}  // namespace ddsp
