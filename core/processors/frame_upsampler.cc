#include "core/processors/frame_upsampler.h"

#include <algorithm>

namespace ddsp {

using at::Tensor;

int64_t LookaheadFrames(Interpolation method) {
  switch (method) {
    case Interpolation::kNearest:
      return 0;
    case Interpolation::kLinear:
    case Interpolation::kWindow:
      return 1;
    case Interpolation::kCubic:
      return 2;
  }
  return 0;
}

at::Tensor FrameUpsampler::Push(const Tensor& frames) {
  if (!frames_.defined() || frames_.size(1) == 0) {
    frames_ = frames;
  } else if (frames.size(1) > 0) {
    frames_ = at::cat({frames_, frames}, 1);
  }
  const int64_t known = frames_.size(1), hops = known - lookahead_ - done_;
  if (hops <= 0) return at::empty({frames_.size(0), 0, frames_.size(2)}, frames_.options());
  const Tensor envelope = Resample(frames_, known * hop_, method_).narrow(1, done_ * hop_, hops * hop_);
  const int64_t next = done_ + hops, kept_from = std::max<int64_t>(0, next - 1);  // cubic looks one frame back
  frames_ = frames_.narrow(1, kept_from, known - kept_from);
  done_ = next - kept_from;
  return envelope;
}

at::Tensor FrameUpsampler::Drain() {
  if (!frames_.defined() || frames_.size(1) == 0 || lookahead_ == 0) return {};
  const Tensor last = frames_.narrow(1, frames_.size(1) - 1, 1);
  return Push(last.expand({-1, lookahead_, -1}));
}

}  // namespace ddsp
