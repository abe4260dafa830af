// What a device does, apart from its name: who only checks flags links no engine.
#include "core/cuda/engine_device.h"
#include "core/cuda/make_cuda_engine.h"
#include "core/streaming/voice_loader.h"

namespace ddsp {

absl::Status EngineDevice::Check() const { return cuda_.has_value() ? CheckCudaDevice(*cuda_) : absl::OkStatus(); }

absl::StatusOr<std::unique_ptr<VoiceEngine>> EngineDevice::MakeEngine(std::shared_ptr<const Voice> voice, int slots,
                                                                      int threads) const {
  if (!cuda_.has_value()) return MakeVoiceEngine(std::move(voice), slots);
  return MakeCudaVoiceEngine(std::move(voice), {.device = *cuda_, .slots = slots, .threads = threads});
}

}  // namespace ddsp
