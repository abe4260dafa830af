// A filter that changes from frame to frame, for a stream.
#pragma once

#include <ATen/ATen.h>

#include "core/processors/streaming_processor.h"

namespace ddsp {

// FrequencyFilter() of one stream: every frame's samples are convolved with the frame's impulse response and added up.
// Direct convolution, sample by sample in order, so that no bit depends on the blocks.
class FrameFilter {
 public:
  FrameFilter(const StreamLayout& layout, int64_t bands, int64_t window_size);

  // Samples that the impulse responses, which are causal, are moved back by, and hence wait: (taps - 1) / 2 - 1, at
  // least 0.
  static int64_t Latency(int64_t bands, int64_t window_size);

  // Takes samples [batch, n] at `position` and the magnitudes [batch, frames, bands] of the frames that begin in them;
  // returns what is known now.
  at::Tensor Filter(const at::Tensor& samples, const at::Tensor& magnitudes, int64_t position);
  // What rings on behind the last sample, up to it.
  at::Tensor Drain() const;

 private:
  const int64_t hop_, bands_, window_size_, taps_;
  int64_t skip_;         // samples that are still to be cut off the start
  at::Tensor response_;  // [batch, taps] of the present frame
  at::Tensor ringing_;   // [batch, taps - 1], of the samples that come next
};

}  // namespace ddsp
