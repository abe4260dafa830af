// Controls from frame rate to audio rate, as frames come in.
#pragma once

#include <ATen/ATen.h>

#include "core/dsp/resample.h"

namespace ddsp {

// Frames after the present one that its hop depends on.
int64_t LookaheadFrames(Interpolation method);

// Resample() of one stream, hop by hop; the last frame is held, as Endpoint::kHold.
class FrameUpsampler {
 public:
  // `lookahead`: frames that a hop waits for; LookaheadFrames(method) or more, to go in step with another control.
  FrameUpsampler(Interpolation method, int64_t hop, int64_t lookahead)
      : method_(method), hop_(hop), lookahead_(lookahead) {}

  // Takes frames [batch, frames, channels]; returns the hops that are known now, [batch, hops * hop, channels].
  at::Tensor Push(const at::Tensor& frames);
  // The hops that waited, with the last frame held.
  at::Tensor Drain();

 private:
  const Interpolation method_;
  const int64_t hop_, lookahead_;
  at::Tensor frames_;  // those still needed
  int64_t done_ = 0;   // of them, those whose hops are done: 0, or 1 kept because the next hop looks back
};

}  // namespace ddsp
