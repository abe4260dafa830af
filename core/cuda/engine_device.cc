#include "core/cuda/engine_device.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/cuda/make_cuda_engine.h"
#include "core/streaming/voice_loader.h"

namespace ddsp {

absl::StatusOr<EngineDevice> EngineDevice::Parse(absl::string_view name) {
  EngineDevice device;
  if (name == "cpu") return device;
  absl::string_view number = name;
  int index = 0;
  if (absl::ConsumePrefix(&number, "cuda:") && absl::SimpleAtoi(number, &index) && index >= 0) {
    device.cuda_ = index;
    return device;
  }
  return absl::InvalidArgumentError(absl::StrCat("device '", name, "' is neither 'cpu' nor 'cuda:N'"));
}

absl::StatusOr<std::unique_ptr<VoiceEngine>> EngineDevice::MakeEngine(std::shared_ptr<const Voice> voice, int slots,
                                                                      int threads) const {
  if (!cuda_.has_value()) return MakeVoiceEngine(std::move(voice), slots);
  return MakeCudaVoiceEngine(std::move(voice), {.device = *cuda_, .slots = slots, .threads = threads});
}

}  // namespace ddsp
