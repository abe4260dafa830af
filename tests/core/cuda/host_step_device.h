// The kernels of a step in loops on the host.
#pragma once

#include <vector>

#include "core/cuda/step_device.h"
#include "core/cuda/voice_program.h"
#include "tests/core/cuda/serial_team.h"

namespace ddsp::cuda {

class HostStepDevice : public StepDevice {
 public:
  // The program must outlive it. Memory starts out as NaN, which must not matter: slots are reset before use.
  HostStepDevice(const VoiceProgram& program, int slots, Turns turns);

  int capacity() const override { return memory_.capacity; }
  absl::Status ResetSlot(int slot) override;
  StepInput BeginStep(int rows) override;
  absl::StatusOr<const float*> FinishStep() override;

 private:
  void Run(const Kernel& kernel);

  const VoiceProgram& program_;
  const Turns turns_;
  std::vector<float> slots_, work_;
  std::vector<StepCounts> input_;  // any type that is aligned to 8 bytes
  StepMemory memory_;
  int rows_ = 0;
};

}  // namespace ddsp::cuda
