#include "core/cuda/make_cuda_engine.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/cuda/cuda_step_device.h"
#include "core/cuda/cuda_voice_engine.h"
#include "core/streaming/render.h"

namespace ddsp {
namespace {

// A GPU is trusted with a voice when it renders the voice's golden audio, as the CPU did at load.
absl::Status VerifyGolden(const Voice& voice, int device, VoiceEngine& engine) {
  if (voice.golden.input.empty()) return absl::OkStatus();
  RenderOptions options;
  options.framer.input_rate = options.framer.output_rate = voice.spec.sample_rate_hz();
  options.settings.seed = voice.golden.seed;
  ASSIGN_OR_RETURN(const Rendering rendering, Render(engine, options, voice.golden.input));
  for (size_t i = 0; i < rendering.audio.size(); ++i) {
    const double difference = std::fabs(rendering.audio[i] - voice.golden.output.at(i));
    if (!(difference <= voice.spec.golden_tolerance())) {
      return absl::FailedPreconditionError(absl::StrCat(voice.id(), ": golden audio of cuda:", device, " differs by ",
                                                        difference, " at sample ", i, ", tolerance ",
                                                        voice.spec.golden_tolerance()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckCudaDevice(int device) { return cuda::SelectDevice(device); }

absl::StatusOr<std::unique_ptr<VoiceEngine>> MakeCudaVoiceEngine(std::shared_ptr<const Voice> voice,
                                                                 const CudaEngineOptions& options) {
  ASSIGN_OR_RETURN(cuda::VoiceProgram compiled, cuda::VoiceProgram::Compile(*voice));
  auto program = std::make_unique<const cuda::VoiceProgram>(std::move(compiled));
  ASSIGN_OR_RETURN(std::unique_ptr<cuda::StepDevice> device,
                   cuda::CudaStepDevice::Create(*program, options.device, options.slots));
  ASSIGN_OR_RETURN(
      std::unique_ptr<VoiceEngine> engine,
      cuda::CudaVoiceEngine::Create(voice, std::move(program), std::move(device), options.slots, options.threads));
  RETURN_IF_ERROR(VerifyGolden(*voice, options.device, *engine));
  return engine;
}

}  // namespace ddsp
