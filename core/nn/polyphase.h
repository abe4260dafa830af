// Exchange of time and channels (upstream: training/nn.py, polyphase_resample).
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace ddsp {

enum class PolyphaseDirection {
  kDown,  // [batch, time, ch] to [batch, time / stride, ch * stride]
  kUp,    // [batch, time, ch] to [batch, time * stride, ch / stride]
};
// "down", "up". Throws ValueError for others.
PolyphaseDirection ParsePolyphaseDirection(const std::string& name);

enum class Remainder { kPad, kTrim };  // what happens to what the stride does not divide

// x [batch, time, ch] or [batch, time, 1, ch].
at::Tensor PolyphaseResample(const at::Tensor& x, int64_t stride = 2,
                             PolyphaseDirection direction = PolyphaseDirection::kDown,
                             Remainder remainder = Remainder::kPad);

}  // namespace ddsp
