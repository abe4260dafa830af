#include "core/processors/sample_queue.h"

#include "core/base/check.h"

namespace ddsp {

void SampleQueue::Push(const at::Tensor& samples) {
  if (!samples.defined()) return;
  if (size() == 0) {
    waiting_ = samples;
  } else if (samples.size(1) > 0) {
    waiting_ = at::cat({waiting_, samples}, 1);
  }
}

at::Tensor SampleQueue::Pop(int64_t count) {
  DDSP_CHECK(count >= 0 && count <= size(), "a queue gives no more than it has");
  if (!waiting_.defined()) return {};
  const at::Tensor first = waiting_.narrow(1, 0, count);
  waiting_ = waiting_.narrow(1, count, waiting_.size(1) - count);
  return first;
}

}  // namespace ddsp
