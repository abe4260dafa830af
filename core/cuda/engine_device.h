// Where voices are stepped: what --device names.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/models/voice.h"
#include "core/streaming/voice_engine.h"

namespace ddsp {

class EngineDevice {
 public:
  // "cpu" or "cuda:N", N being CUDA's number of at most three digits. Errors: INVALID_ARGUMENT with the name.
  static absl::StatusOr<EngineDevice> Parse(absl::string_view name);
  // Whether there is such a device. Errors: those of CheckCudaDevice.
  absl::Status Check() const;

  // Whether one batch of all streams is best. A CPU takes several at once, each on a thread of its own.
  bool is_gpu() const { return cuda_.has_value(); }

  // `threads`, 1 or more, count where a GPU leaves work to the CPU. Errors: those of MakeVoiceEngine and
  // MakeCudaVoiceEngine.
  absl::StatusOr<std::unique_ptr<VoiceEngine>> MakeEngine(std::shared_ptr<const Voice> voice, int slots,
                                                          int threads) const;

 private:
  std::optional<int> cuda_;
};

}  // namespace ddsp
