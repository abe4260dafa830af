#include "core/streaming/voice_loader.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/streaming/batch_voice_engine.h"
#include "core/streaming/render.h"

namespace ddsp {

absl::StatusOr<std::unique_ptr<VoiceEngine>> MakeVoiceEngine(std::shared_ptr<const Voice> voice, int slots) {
  return BatchVoiceEngine::Create(std::move(voice), slots);
}

absl::StatusOr<std::vector<float>> RenderGolden(std::shared_ptr<const Voice> voice, absl::Span<const float> input,
                                                uint64_t seed) {
  ASSIGN_OR_RETURN(const std::unique_ptr<VoiceEngine> engine, MakeVoiceEngine(voice, 1));
  RenderOptions options;
  options.framer.input_rate = options.framer.output_rate = voice->spec.sample_rate_hz();
  options.settings.seed = seed;
  ASSIGN_OR_RETURN(Rendering rendering, Render(*engine, options, input));
  return std::move(rendering.audio);
}

absl::Status CompleteVoice(std::vector<float> golden_input, uint64_t seed, const std::shared_ptr<Voice>& voice) {
  const std::vector<std::string> problems = ValidateVoice(*voice);
  if (!problems.empty())
    return absl::InternalError(absl::StrCat("the voice is not valid: ", absl::StrJoin(problems, "; ")));
  ASSIGN_OR_RETURN(const std::unique_ptr<VoiceEngine> engine, MakeVoiceEngine(voice, 1));
  voice->spec.set_latency_samples(static_cast<int32_t>(engine->format(StreamInput::kAudio).latency()));
  voice->golden.seed = seed;
  voice->golden.input = std::move(golden_input);
  ASSIGN_OR_RETURN(voice->golden.output, RenderGolden(voice, voice->golden.input, seed));
  return absl::OkStatus();
}

absl::Status VerifyGolden(std::shared_ptr<const Voice> voice) {
  ASSIGN_OR_RETURN(const std::vector<float> audio, RenderGolden(voice, voice->golden.input, voice->golden.seed));
  const std::vector<float>& expected = voice->golden.output;
  if (audio.size() != expected.size()) {
    return absl::FailedPreconditionError(
        absl::StrCat(voice->id(), ": golden audio has ", expected.size(), " samples, the engine makes ", audio.size()));
  }
  for (size_t i = 0; i < audio.size(); ++i) {
    const double difference = std::fabs(audio[i] - expected[i]);
    if (!(difference <= voice->spec.golden_tolerance())) {
      return absl::FailedPreconditionError(absl::StrCat(voice->id(), ": golden audio differs by ", difference,
                                                        " at sample ", i, ", tolerance ",
                                                        voice->spec.golden_tolerance()));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Voice>> LoadVoice(const std::string& version_directory) {
  ASSIGN_OR_RETURN(std::shared_ptr<const Voice> voice, ReadBundle(version_directory));
  ASSIGN_OR_RETURN(const std::unique_ptr<VoiceEngine> engine, MakeVoiceEngine(voice, 1));
  const int64_t latency = engine->format(StreamInput::kAudio).latency();
  if (latency != voice->spec.latency_samples()) {
    return absl::FailedPreconditionError(absl::StrCat(voice->id(), ": model.textproto says ",
                                                      voice->spec.latency_samples(),
                                                      " samples of latency, its graph has ", latency));
  }
  RETURN_IF_ERROR(VerifyGolden(voice));
  return voice;
}

}  // namespace ddsp
