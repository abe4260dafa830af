// Gathers what the kernels of a voice need: constants, memory of slots, arrays of a step. Offsets are in floats.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "core/cuda/kernel.h"

namespace ddsp::cuda {

// Makes a kernel that works in `memory`, for steps of at most `max_rows` rows.
using KernelMaker = std::function<Kernel(const StepMemory& memory, int max_rows)>;
// The same for frame `frame` of the hop.
using FrameKernelMaker = std::function<Kernel(const StepMemory& memory, int max_rows, int frame)>;

// An array [capacity, width] among those of a step.
struct WorkArray {
  int64_t begin = 0;  // floats a row that lie before it

  float* in(const StepMemory& memory) const { return memory.work + begin * memory.capacity; }
};

class ProgramBuilder {
 public:
  int64_t AddConstants(absl::Span<const float> values) {
    const int64_t at = Aligned(static_cast<int64_t>(constants_.size()));
    constants_.resize(at);
    constants_.insert(constants_.end(), values.begin(), values.end());
    return at;
  }
  int64_t AddSlotFloats(int64_t count) { return std::exchange(slot_floats_, Aligned(slot_floats_ + count)); }
  WorkArray AddWork(int64_t width) { return {std::exchange(work_floats_, Aligned(work_floats_ + width))}; }
  // A kernel of each frame of controls in a hop; these come before those of the hop.
  void AddFrameKernel(FrameKernelMaker maker) { frame_makers_.push_back(std::move(maker)); }
  void AddHopKernel(KernelMaker maker) { hop_makers_.push_back(std::move(maker)); }

  const std::vector<float>& constants() const { return constants_; }
  int64_t slot_floats() const { return slot_floats_; }
  int64_t work_floats() const { return work_floats_; }  // of a row
  const std::vector<FrameKernelMaker>& frame_makers() const { return frame_makers_; }
  const std::vector<KernelMaker>& hop_makers() const { return hop_makers_; }

 private:
  // Everything begins on 16 bytes: doubles, complex numbers and whole lines of memory.
  static int64_t Aligned(int64_t floats) { return (floats + 3) / 4 * 4; }

  std::vector<float> constants_;
  int64_t slot_floats_ = 0, work_floats_ = 0;
  std::vector<FrameKernelMaker> frame_makers_;
  std::vector<KernelMaker> hop_makers_;
};

}  // namespace ddsp::cuda
