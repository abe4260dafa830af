#include "core/streaming/render.h"

#include <algorithm>

#include "core/base/status_macros.h"

namespace ddsp {
namespace {

absl::Status StepWhileReady(VoiceEngine& engine, int slot, StreamFramer& framer) {
  while (framer.HopReady()) {
    HopRequest request = framer.NextHop();
    request.slot = slot;
    RETURN_IF_ERROR(engine.Step({request})[0]);
    framer.CompleteHop();
  }
  return absl::OkStatus();
}

void Drain(StreamFramer& framer, Rendering* rendering) {
  const size_t at = rendering->audio.size();
  rendering->audio.resize(at + framer.due());
  framer.Pop(absl::MakeSpan(rendering->audio).subspan(at));
  for (const FeatureFrame& frame : framer.TakeFeatures()) rendering->features.push_back(frame);
}

}  // namespace

absl::StatusOr<Rendering> Render(VoiceEngine& engine, RenderOptions options, absl::Span<const float> audio) {
  options.framer.format = engine.format(options.settings.input);
  options.framer.input = options.settings.input;
  ASSIGN_OR_RETURN(const std::unique_ptr<StreamFramer> framer, StreamFramer::Create(options.framer));
  RETURN_IF_ERROR(engine.Reset(options.slot, options.settings));
  Rendering rendering;
  rendering.latency_samples = framer->latency();
  const size_t chunk = std::max<int64_t>(1, options.chunk_samples);
  for (size_t at = 0; at < audio.size(); at += chunk) {
    framer->PushAudio(audio.subspan(at, chunk));
    RETURN_IF_ERROR(StepWhileReady(engine, options.slot, *framer));
    Drain(*framer, &rendering);
    if (options.progress) options.progress(static_cast<double>(at) / audio.size());
  }
  framer->Finish();
  RETURN_IF_ERROR(StepWhileReady(engine, options.slot, *framer));
  Drain(*framer, &rendering);
  if (options.progress) options.progress(1);
  return rendering;
}

}  // namespace ddsp
