// Where a step finds its data, all on the device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cuda/device_code.h"
#include "core/cuda/step_input.h"

namespace ddsp::cuda {

struct StepMemory {
  const float* constants = nullptr;  // of the voice: weights, tables, spectra of impulse responses
  float* slots = nullptr;            // [slots, slot_floats]: all that streams remember; zeros are a new stream
  int64_t slot_floats = 0;
  float* work = nullptr;  // of one step: arrays [capacity, width] one after the other
  int capacity = 0;       // rows
  FrameInput input;       // of the frame that a kernel works for

  DDSP_DEVICE float* slot(int index) const { return slots + index * slot_floats; }
};

}  // namespace ddsp::cuda
