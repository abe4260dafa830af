// A GPU that runs a voice's steps: one CUDA graph for each size of step, captured at the start.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "core/cuda/device_memory.h"
#include "core/cuda/step_device.h"
#include "core/cuda/voice_program.h"

namespace ddsp::cuda {

// Makes it current for this thread. Errors: FAILED_PRECONDITION (no such device, with what there is).
absl::Status SelectDevice(int device);

class CudaStepDevice : public StepDevice {
 public:
  // The program must outlive it. Errors: FAILED_PRECONDITION (no such device), RESOURCE_EXHAUSTED (not enough memory,
  // with how much was asked for), INTERNAL (CUDA failed, with the call).
  static absl::StatusOr<std::unique_ptr<StepDevice>> Create(const VoiceProgram& program, int device, int slots);
  ~CudaStepDevice() override;

  int capacity() const override { return memory_.capacity; }
  absl::Status ResetSlot(int slot) override;
  StepInput BeginStep(int rows) override;
  absl::StatusOr<const float*> FinishStep() override;

 private:
  CudaStepDevice(const VoiceProgram& program, int device) : program_(program), device_(device) {}
  absl::Status Allocate(int slots);
  absl::Status Capture(int rows);
  absl::Status Run(cudaGraphExec_t graph);

  const VoiceProgram& program_;
  const int device_;
  cudaStream_t stream_ = nullptr;
  CudaArray<float, Place::kDevice> constants_, slots_, work_;
  CudaArray<std::byte, Place::kDevice> device_input_;
  CudaArray<std::byte, Place::kPinned> host_input_;
  CudaArray<float, Place::kPinned> host_audio_;
  StepMemory memory_;                    // on the device, but for its input
  std::vector<cudaGraphExec_t> graphs_;  // for 32, 64, ... rows
  int step_rows_ = 0;                    // size of the step that was begun
};

}  // namespace ddsp::cuda
