#include "core/cuda/cuda_step_device.h"

#include <bit>

#include "core/base/check.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "core/cuda/launch.h"

namespace ddsp::cuda {
namespace {

#define RETURN_IF_CUDA_ERROR(call) RETURN_IF_ERROR(ToStatus(call, #call))

// Which of the sizes 32, 64, ... it is.
int SizeIndex(int rows) { return std::countr_zero(static_cast<unsigned>(rows / kSmallestStep)); }

}  // namespace

absl::Status SelectDevice(int device) {
  int devices = 0;
  const cudaError_t counted = cudaGetDeviceCount(&devices);
  if (counted != cudaSuccess) {
    return absl::FailedPreconditionError(absl::StrCat("no CUDA device ", device, ": ", cudaGetErrorString(counted)));
  }
  if (device < 0 || device >= devices) {
    return absl::FailedPreconditionError(absl::StrCat("no CUDA device ", device, ": there are ", devices));
  }
  RETURN_IF_CUDA_ERROR(cudaSetDevice(device));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<StepDevice>> CudaStepDevice::Create(const VoiceProgram& program, int device, int slots) {
  // Voices are loaded by several threads, and what one of them does to the device must not meet another's capture.
  static Mutex preparing;
  MutexLock lock(&preparing);
  RETURN_IF_ERROR(SelectDevice(device));
  std::unique_ptr<CudaStepDevice> made(new CudaStepDevice(program, device));
  RETURN_IF_ERROR(made->Allocate(slots));
  int scratch_bytes = 0;
  RETURN_IF_CUDA_ERROR(cudaDeviceGetAttribute(&scratch_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  constexpr int kStaticBytes = 1024;  // what kernels share besides their scratch
  RETURN_IF_CUDA_ERROR(AllowLargeScratch(scratch_bytes - kStaticBytes));
  for (int rows = kSmallestStep; rows <= made->capacity(); rows *= 2) RETURN_IF_ERROR(made->Capture(rows));
  return made;
}

CudaStepDevice::~CudaStepDevice() {
  // Members free their memory after this, on the same device.
  cudaSetDevice(device_);
  if (stream_ != nullptr) cudaStreamSynchronize(stream_);
  for (cudaGraphExec_t graph : graphs_) cudaGraphExecDestroy(graph);
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

absl::Status CudaStepDevice::Allocate(int slots) {
  RETURN_IF_CUDA_ERROR(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
  const std::vector<float>& constants = program_.constants();
  memory_.capacity = StepCapacity(slots, program_.hop());
  memory_.slot_floats = program_.slot_floats();
  const size_t rows = memory_.capacity, input_bytes = program_.InputBytes(memory_.capacity);
  ASSIGN_OR_RETURN(constants_, (CudaArray<float, Place::kDevice>::Make(constants.size())));
  ASSIGN_OR_RETURN(slots_, (CudaArray<float, Place::kDevice>::Make(slots * program_.slot_floats())));
  ASSIGN_OR_RETURN(work_, (CudaArray<float, Place::kDevice>::Make(rows * program_.work_floats())));
  ASSIGN_OR_RETURN(device_input_, (CudaArray<std::byte, Place::kDevice>::Make(input_bytes)));
  ASSIGN_OR_RETURN(host_input_, (CudaArray<std::byte, Place::kPinned>::Make(input_bytes)));
  ASSIGN_OR_RETURN(host_audio_, (CudaArray<float, Place::kPinned>::Make(rows * program_.hop())));
  memory_.constants = constants_.get();
  memory_.slots = slots_.get();
  memory_.work = work_.get();
  RETURN_IF_CUDA_ERROR(
      cudaMemcpy(constants_.get(), constants.data(), constants.size() * sizeof(float), cudaMemcpyHostToDevice));
  // The stream does not wait for work without a stream, such as the zeroing.
  return ToStatus(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
}

absl::Status CudaStepDevice::Capture(int rows) {
  const StepInput input{device_input_.get(), rows, program_.inputs()};
  RETURN_IF_CUDA_ERROR(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal));
  const cudaError_t launched = Launch(program_.Kernels(memory_, input), stream_);
  cudaGraph_t graph = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(stream_, &graph);
  RETURN_IF_ERROR(ToStatus(launched, "Launch"));  // the cause, where both failed
  RETURN_IF_ERROR(ToStatus(ended, "cudaStreamEndCapture"));
  cudaGraphExec_t executable = nullptr;
  const cudaError_t made = cudaGraphInstantiate(&executable, graph, 0);
  cudaGraphDestroy(graph);
  RETURN_IF_ERROR(ToStatus(made, "cudaGraphInstantiate"));
  graphs_.push_back(executable);
  return absl::OkStatus();
}

absl::Status CudaStepDevice::ResetSlot(int slot) {
  RETURN_IF_CUDA_ERROR(cudaSetDevice(device_));
  RETURN_IF_CUDA_ERROR(cudaMemsetAsync(memory_.slot(slot), 0, memory_.slot_floats * sizeof(float), stream_));
  return absl::OkStatus();
}

StepInput CudaStepDevice::BeginStep(int rows) {
  DDSP_CHECK(rows > 0 && rows <= capacity(), "a step has at most as many rows as there is room for");
  step_rows_ = StepSize(rows, capacity());
  return {host_input_.get(), step_rows_, program_.inputs()};
}

absl::StatusOr<const float*> CudaStepDevice::FinishStep() {
  RETURN_IF_CUDA_ERROR(cudaSetDevice(device_));
  RETURN_IF_ERROR(Run(graphs_[SizeIndex(step_rows_)]));
  return host_audio_.get();
}

absl::Status CudaStepDevice::Run(cudaGraphExec_t graph) {
  const StepInput input{host_input_.get(), step_rows_, program_.inputs()};
  const StepCounts counts = *input.frame(0).counts;
  const size_t input_bytes = program_.InputBytes(step_rows_);
  const size_t audio_bytes = static_cast<size_t>(counts.requests) * program_.hop() * sizeof(float);
  RETURN_IF_CUDA_ERROR(
      cudaMemcpyAsync(device_input_.get(), host_input_.get(), input_bytes, cudaMemcpyHostToDevice, stream_));
  RETURN_IF_CUDA_ERROR(cudaGraphLaunch(graph, stream_));
  RETURN_IF_CUDA_ERROR(
      cudaMemcpyAsync(host_audio_.get(), program_.Audio(memory_), audio_bytes, cudaMemcpyDeviceToHost, stream_));
  RETURN_IF_CUDA_ERROR(cudaStreamSynchronize(stream_));
  return absl::OkStatus();
}

}  // namespace ddsp::cuda
