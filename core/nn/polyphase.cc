#include "core/nn/polyphase.h"

#include "core/dsp/argument.h"
#include "core/dsp/arrays.h"

namespace ddsp {
namespace {

// Makes the size of an axis a multiple of the stride.
at::Tensor Divisible(const at::Tensor& x, int64_t axis, int64_t stride, Remainder remainder) {
  const int64_t rest = x.size(axis) % stride;
  if (rest == 0) return x;
  return remainder == Remainder::kPad ? PadAxis(x, 0, stride - rest, axis) : x.narrow(axis, 0, x.size(axis) - rest);
}

}  // namespace

PolyphaseDirection ParsePolyphaseDirection(const std::string& name) {
  if (name == "down") return PolyphaseDirection::kDown;
  if (name == "up") return PolyphaseDirection::kUp;
  DDSP_CHECK_ARGUMENT(false, "resample_type is '", name, "', expected up or down");
}

at::Tensor PolyphaseResample(const at::Tensor& x, int64_t stride, PolyphaseDirection direction, Remainder remainder) {
  DDSP_CHECK_ARGUMENT(stride > 0, "stride is ", stride, ", expected a positive number");
  at::Tensor y = x.dim() == 4 ? x.select(2, 0) : x;
  DDSP_CHECK_ARGUMENT(y.dim() == 3, "tensor has shape ", x.sizes(), ", expected [batch, time, channels]");
  const bool down = direction == PolyphaseDirection::kDown;
  y = Divisible(y, down ? 1 : 2, stride, remainder);
  const int64_t time = y.size(1), channels = y.size(2);
  y = down ? y.reshape({-1, time / stride, channels * stride}) : y.reshape({-1, time * stride, channels / stride});
  return x.dim() == 4 ? y.unsqueeze(2) : y;
}

}  // namespace ddsp
