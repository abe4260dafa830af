// Stands in for make_cuda_engine.cc where CUDA's compiler is not used.
#include "absl/strings/str_cat.h"
#include "core/cuda/make_cuda_engine.h"

namespace ddsp {

absl::Status CheckCudaDevice(int device) {
  return absl::FailedPreconditionError(
      absl::StrCat("cuda:", device, ": built without CUDA; configure with -DDDSP_CUDA=ON"));
}

absl::StatusOr<std::unique_ptr<VoiceEngine>> MakeCudaVoiceEngine(std::shared_ptr<const Voice>,
                                                                 const CudaEngineOptions& options) {
  return CheckCudaDevice(options.device);
}

}  // namespace ddsp
