#include "core/dsp/arrays.h"

#include <vector>

#include "core/dsp/argument.h"

namespace ddsp {

at::Tensor PadAxis(const at::Tensor& x, int64_t before, int64_t after, int64_t axis) {
  DDSP_CHECK_ARGUMENT(axis >= -x.dim() && axis < x.dim(), "axis is ", axis, " but the tensor has ", x.dim(), " axes");
  DDSP_CHECK_ARGUMENT(before >= 0 && after >= 0, "padding is (", before, ", ", after, "), expected no negative number");
  if (axis < 0) axis += x.dim();
  if (before == 0 && after == 0) return x;
  std::vector<int64_t> padding(2 * (x.dim() - axis), 0);
  padding[padding.size() - 2] = before;
  padding[padding.size() - 1] = after;
  return at::constant_pad_nd(x, padding);
}

at::Tensor Diff(const at::Tensor& x, int64_t axis) {
  DDSP_CHECK_ARGUMENT(axis >= -x.dim() && axis < x.dim(), "axis is ", axis, " but the tensor has ", x.dim(), " axes");
  const int64_t size = x.size(axis);
  DDSP_CHECK_ARGUMENT(size > 0, "axis ", axis, " is empty, expected at least one element");
  return x.narrow(axis, 1, size - 1) - x.narrow(axis, 0, size - 1);
}

at::Tensor NanToNum(const at::Tensor& x, double value) { return at::where(at::isnan(x), at::full_like(x, value), x); }

at::Tensor CenterCrop(const at::Tensor& audio, int64_t frame_size) {
  DDSP_CHECK_ARGUMENT(frame_size >= 0, "frame_size is ", frame_size, ", expected no negative number");
  const int64_t margin = frame_size / 2;
  DDSP_CHECK_ARGUMENT(audio.dim() >= 2 && audio.size(1) >= 2 * margin, "frame_size is ", frame_size,
                      " but the audio is ", audio.sizes());
  return audio.narrow(1, margin, audio.size(1) - 2 * margin);
}

}  // namespace ddsp
