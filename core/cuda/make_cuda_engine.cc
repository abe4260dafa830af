#include "core/cuda/make_cuda_engine.h"

#include "core/base/status_macros.h"
#include "core/cuda/cuda_step_device.h"
#include "core/cuda/cuda_voice_engine.h"

namespace ddsp {

absl::StatusOr<std::unique_ptr<VoiceEngine>> MakeCudaVoiceEngine(std::shared_ptr<const Voice> voice,
                                                                 const CudaEngineOptions& options) {
  ASSIGN_OR_RETURN(cuda::VoiceProgram compiled, cuda::VoiceProgram::Compile(*voice));
  auto program = std::make_unique<const cuda::VoiceProgram>(std::move(compiled));
  ASSIGN_OR_RETURN(std::unique_ptr<cuda::StepDevice> device,
                   cuda::CudaStepDevice::Create(*program, options.device, options.slots));
  return cuda::CudaVoiceEngine::Create(std::move(voice), std::move(program), std::move(device), options.slots,
                                       options.threads);
}

}  // namespace ddsp
