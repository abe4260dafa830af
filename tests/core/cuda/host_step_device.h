// The kernels of a step in loops on the host.
#pragma once

#include <cstdlib>
#include <vector>

#include "core/cuda/step_device.h"
#include "core/cuda/voice_program.h"

namespace ddsp::cuda {

// In which order the threads of a block, and the blocks of a launch, take their turns. Threads of a phase run at the
// same time on a GPU; if the order mattered, they would race.
enum class Turns { kForward, kBackward };

class SerialTeam {
 public:
  SerialTeam(int threads, Turns turns, float* scratch) : threads_(threads), turns_(turns), scratch_(scratch) {}

  float* scratch() const { return scratch_; }

  template <class T>
  std::vector<T> PerThread() const {
    return std::vector<T>(threads_);
  }

  template <class Body>
  void ForEach(int count, Body body) const {
    for (int i = 0; i < count; ++i) body(turns_ == Turns::kForward ? i : count - 1 - i);
  }

  template <class Term>
  float Sum(int count, Term term) const {
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += term(i);
    return static_cast<float>(sum);
  }

 private:
  const int threads_;
  const Turns turns_;
  float* const scratch_;
};

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
  std::vector<float> scratch_;
  std::vector<StepCounts> input_;  // any type that is aligned to 8 bytes
  StepMemory memory_;
  int rows_ = 0;
};

}  // namespace ddsp::cuda
