#include <chrono>
#include <memory>

#include "client/cli/progress_bar.h"
#include "client/cli/transfer.h"
#include "core/audio/file_resampler.h"
#include "core/base/integer.h"
#include "core/base/status_macros.h"
#include "core/models/repository.h"
#include "core/offline/adjusted_controls.h"
#include "core/streaming/render.h"
#include "core/streaming/voice_loader.h"

namespace ddsp::client {
namespace {

RenderOptions ToRenderOptions(const TransferRequest& request) {
  RenderOptions options;
  options.framer.input_rate = request.input_rate;
  options.framer.output_rate = request.output_rate;
  options.framer.tail = request.tail ? TailPolicy::kRingOut : TailPolicy::kCut;
  options.framer.parameters = {request.pitch_shift_semitones, request.loudness_shift_db};
  options.settings.seed = request.seed;
  options.settings.profile = request.profile;
  options.chunk_samples = request.chunk_samples;
  return options;
}

absl::StatusOr<Rendering> RenderAdjusted(const Voice& voice, VoiceEngine& engine, RenderOptions options,
                                         const TransferRequest& request) {
  ASSIGN_OR_RETURN(const std::vector<float> audio,
                   ResampleFile(request.audio, request.input_rate, voice.feature_settings().sample_rate));
  ASSIGN_OR_RETURN(const AdjustedControls controls, AdjustToVoice(voice, audio, *request.adjust));
  const auto samples = static_cast<int64_t>(request.audio.size());
  return RenderControls(engine, std::move(options), controls.frames,
                        CeilDiv(samples * voice.spec.sample_rate_hz(), int64_t{request.input_rate}));
}

}  // namespace

absl::StatusOr<TransferResult> TransferInProcess(const TransferRequest& request, const std::string& repository) {
  ASSIGN_OR_RETURN(const VoiceLocation location, FindVoice(repository, request.model));
  ASSIGN_OR_RETURN(const std::shared_ptr<const Voice> voice, LoadVoice(location.directory));
  ASSIGN_OR_RETURN(const std::unique_ptr<VoiceEngine> engine, MakeVoiceEngine(voice, 1));
  ProgressBar bar("playing");
  RenderOptions options = ToRenderOptions(request);
  options.progress = [&bar](double done) { bar.Show(done); };
  const auto begin = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(Rendering rendering, request.adjust ? RenderAdjusted(*voice, *engine, std::move(options), request)
                                                       : Render(*engine, std::move(options), request.audio));
  TransferResult result;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  result.audio = std::move(rendering.audio);
  result.model = voice->id();
  result.profile = request.profile ? request.profile->name : "neutral";
  result.latency_samples = rendering.latency_samples;
  return result;
}

}  // namespace ddsp::client
