// Runs the kernels of a voice's step: on a GPU, or for tests in loops on the host.
//
// One thread at a time. The memory of all slots lives on the device; a step sends one buffer there and fetches one.
#pragma once

#include <algorithm>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/cuda/step_input.h"

namespace ddsp::cuda {

// Steps are run at a few sizes, so that each can be prepared once: a power of two of rows, or the capacity.
inline constexpr int kSmallestStep = 32, kLargestStep = 4096;

// Rows that the largest step of so many slots has room for; a request alone may have a row for each sample of its hop,
// and one more.
inline int StepCapacity(int slots, int hop) {
  int rows = kSmallestStep;
  while (rows < kLargestStep && rows < slots) rows *= 2;
  while (rows < hop + 1) rows *= 2;
  return rows;
}

// The size of step that `rows` rows take, at most `capacity`, which they do not exceed.
inline int StepSize(int rows, int capacity) {
  int size = kSmallestStep;
  while (size < rows) size *= 2;
  return std::min(size, capacity);
}

class StepDevice {
 public:
  virtual ~StepDevice() = default;

  virtual int capacity() const = 0;  // rows of a step

  // Makes the slot as new, for steps from now on.
  virtual absl::Status ResetSlot(int slot) = 0;

  // The next step's input on the host, to be filled for `rows` rows, at most capacity().
  virtual StepInput BeginStep(int rows) = 0;
  // Runs it. Returns audio [requests, hop], valid until the next step begins; those of streams that only start hold
  // anything. Errors: INTERNAL (the device failed).
  virtual absl::StatusOr<const float*> FinishStep() = 0;
};

}  // namespace ddsp::cuda
