#include "tests/core/cuda/host_step_device.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"

namespace ddsp::cuda {

HostStepDevice::HostStepDevice(const VoiceProgram& program, int slots, Turns turns) : program_(program), turns_(turns) {
  memory_.capacity = StepCapacity(slots, program.hop());
  memory_.slot_floats = program.slot_floats();
  slots_.assign(slots * program.slot_floats(), std::nanf(""));
  work_.assign(memory_.capacity * program.work_floats(), std::nanf(""));
  input_.resize(StepInput::Bytes(memory_.capacity, program.inputs()) / sizeof(StepCounts) + 1);
  memory_.constants = program.constants().data();
  memory_.slots = slots_.data();
  memory_.work = work_.data();
}

absl::Status HostStepDevice::ResetSlot(int slot) {
  std::fill_n(memory_.slot(slot), memory_.slot_floats, 0.0f);
  return absl::OkStatus();
}

StepInput HostStepDevice::BeginStep(int rows) {
  DDSP_CHECK(rows > 0 && rows <= capacity(), "a step has at most as many rows as there is room for");
  rows_ = StepSize(rows, capacity());
  return memory_.input = StepInput::View(reinterpret_cast<std::byte*>(input_.data()), rows_);
}

absl::StatusOr<const float*> HostStepDevice::FinishStep() {
  for (const Kernel& kernel : program_.Kernels(memory_, rows_)) Run(kernel);
  return program_.Audio(memory_);
}

void HostStepDevice::Run(const Kernel& kernel) {
  std::visit(
      [&](const auto& k) {
        const int blocks = k.blocks();
        for (int i = 0; i < blocks; ++i) {
          // 16 bytes of alignment, of which a vector gives its first element as many. Nothing of a block is left for
          // the next.
          scratch_.assign(k.scratch_floats(), std::nanf(""));
          SerialTeam team(k.kThreads, turns_, scratch_.data());
          k(team, turns_ == Turns::kForward ? i : blocks - 1 - i);
        }
      },
      kernel);
}

}  // namespace ddsp::cuda
