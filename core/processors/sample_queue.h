// Samples that wait for their turn.
#pragma once

#include <ATen/ATen.h>

namespace ddsp {

// A queue of samples of all rows, [batch, samples, ...].
class SampleQueue {
 public:
  int64_t size() const { return waiting_.defined() ? waiting_.size(1) : 0; }
  // Appends; undefined is nothing. All pushes have the same shape but for their samples.
  void Push(const at::Tensor& samples);
  // Takes the first `count`, at most size(). Undefined if nothing was ever pushed.
  at::Tensor Pop(int64_t count);

 private:
  at::Tensor waiting_;
};

}  // namespace ddsp
