#include "server/rpc/adjusted_render.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/audio/file_resampler.h"
#include "core/base/integer.h"
#include "core/base/status_macros.h"
#include "core/offline/adjusted_controls.h"
#include "server/errors/errors.h"
#include "server/session/codec.h"
#include "server/session/session_config.h"

namespace ddsp::server {
namespace {

TimbreAdjustOptions OptionsOf(const v1::TimbreAdjustment& adjust) {
  TimbreAdjustOptions options;
  if (adjust.has_threshold()) options.threshold = adjust.threshold();
  if (adjust.has_quiet_db()) options.quiet_db = adjust.quiet_db();
  if (adjust.has_autotune()) options.autotune = adjust.autotune();
  return options;
}

absl::Status InvalidAdjust(const std::string& message) {
  return MakeFieldError(Reason::kInvalidConfig, message, {{"config.adjust", message}});
}

absl::StatusOr<std::vector<float>> Decode(const std::string& audio, const WireFormat& format) {
  const std::unique_ptr<BlockDecoder> decoder = MakeDecoder(format);
  RETURN_IF_ERROR(decoder->CountSamples(audio).status());
  std::vector<float> samples;
  RETURN_IF_ERROR(decoder->Decode(audio, &samples));
  return samples;
}

// The same session driven by controls at `rate`; what the output took from the input is written down.
v1::SessionConfig DrivenByControls(v1::SessionConfig config, int rate) {
  const v1::AudioFormat input = config.input_format();
  v1::AudioFormat& output = *config.mutable_output_format();
  if (output.encoding() == v1::AUDIO_ENCODING_UNSPECIFIED) output.set_encoding(input.encoding());
  if (output.sample_rate_hz() == 0) output.set_sample_rate_hz(input.sample_rate_hz());
  config.mutable_input_format()->set_sample_rate_hz(rate);
  config.set_input(v1::SESSION_INPUT_CONTROLS);
  return config;
}

}  // namespace

absl::StatusOr<RenderInput> AdjustRender(const v1::RenderRequest& request, const Registry& registry,
                                         const SessionLimits& limits) {
  v1::SessionConfig config = request.config();
  config.clear_adjust();
  ASSIGN_OR_RETURN(const SessionPlan plan, PlanSession(config, limits));
  ASSIGN_OR_RETURN(const std::shared_ptr<HostedVoice> hosted, registry.Resolve(plan.model));
  if (hosted->voice == nullptr) return InvalidAdjust(absl::StrCat(hosted->id(), " has no profile to adjust to"));
  const Voice& voice = *hosted->voice;
  const int rate = voice.spec.sample_rate_hz();
  ASSIGN_OR_RETURN(std::vector<float> audio, Decode(request.audio(), plan.input_format));
  const auto samples = static_cast<int64_t>(audio.size());
  ASSIGN_OR_RETURN(audio, ResampleFile(audio, plan.input_format.sample_rate, voice.feature_settings().sample_rate));
  const auto controls = AdjustToVoice(voice, audio, OptionsOf(request.config().adjust()));
  if (!controls.ok()) return InvalidAdjust(std::string(controls.status().message()));

  RenderInput input;
  *input.request.mutable_config() = DrivenByControls(config, rate);
  const int hop = hosted->format(StreamInput::kControls).hop_size;
  input.control_samples = CeilDiv(samples * rate, int64_t{plan.input_format.sample_rate});
  input.request.set_frame_samples(hop);
  const auto frames = std::min<int64_t>(CeilDiv(input.control_samples, int64_t{hop}), controls->frames.size());
  for (int64_t t = 0; t < frames; ++t) {
    v1::ControlFrame* frame = input.request.add_frames();
    frame->set_f0_hz(controls->frames[t].f0_hz);
    frame->set_loudness_db(controls->frames[t].power_db);
  }
  return input;
}

}  // namespace ddsp::server
