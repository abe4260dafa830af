#include "tests/core/cuda/host_step_device.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "core/base/check.h"
#include "tests/core/cuda/thread_team.h"

namespace ddsp::cuda {
namespace {

// Scratch starts out as NaN: nothing of a block is left for the next. Its vector's memory starts on 16 bytes.
template <class K>
void RunInTurn(const K& kernel, Turns turns) {
  for (int i = 0; i < kernel.blocks(); ++i) {
    std::vector<float> scratch(kernel.scratch_floats(), std::nanf(""));
    SerialTeam team(K::kThreads, turns, scratch.data());
    kernel(team, turns == Turns::kForward ? i : kernel.blocks() - 1 - i);
  }
}

template <class K>
void RunTogether(const K& kernel) {
  ThreadTeam::Block block;
  const auto run = [&](int index) {
    for (int i = 0; i < kernel.blocks(); ++i) {
      block.barrier.arrive_and_wait();
      if (index == 0) block.scratch.assign(kernel.scratch_floats(), std::nanf(""));
      block.barrier.arrive_and_wait();
      ThreadTeam team(K::kThreads, index, block);
      kernel(team, i);
    }
  };
  std::vector<std::thread> threads;
  for (int index = 0; index < ThreadTeam::kThreads; ++index) threads.emplace_back(run, index);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

HostStepDevice::HostStepDevice(const VoiceProgram& program, int slots, Turns turns) : program_(program), turns_(turns) {
  memory_.capacity = StepCapacity(slots, program.hop());
  memory_.slot_floats = program.slot_floats();
  slots_.assign(slots * program.slot_floats(), std::nanf(""));
  work_.assign(memory_.capacity * program.work_floats(), std::nanf(""));
  input_.resize(program.InputBytes(memory_.capacity) / sizeof(StepCounts));
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
  return {reinterpret_cast<std::byte*>(input_.data()), rows_, program_.inputs()};
}

absl::StatusOr<const float*> HostStepDevice::FinishStep() {
  const StepInput input{reinterpret_cast<std::byte*>(input_.data()), rows_, program_.inputs()};
  for (const Kernel& kernel : program_.Kernels(memory_, input)) Run(kernel);
  return program_.Audio(memory_);
}

void HostStepDevice::Run(const Kernel& kernel) {
  std::visit(
      [&](const auto& k) {
        if (turns_ == Turns::kTogether) {
          RunTogether(k);
        } else {
          RunInTurn(k, turns_);
        }
      },
      kernel);
}

}  // namespace ddsp::cuda
