#include "core/streaming/render.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/integer.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

absl::Status StepWhileReady(VoiceEngine& engine, int slot, StreamFramer& framer, StepWorkspace& workspace) {
  while (framer.HopReady()) {
    HopRequest request = framer.NextHop();
    request.slot = slot;
    RETURN_IF_ERROR(engine.Step({request}, workspace)[0]);
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

// Pushes one chunk of input after the other, chunk(i) the i-th of `chunks`, and steps.
absl::StatusOr<Rendering> RenderChunks(VoiceEngine& engine, RenderOptions options, int64_t chunks,
                                       const std::function<void(StreamFramer& framer, int64_t i)>& push) {
  options.framer.format = engine.format(options.settings.input);
  options.framer.input = options.settings.input;
  ASSIGN_OR_RETURN(const std::unique_ptr<StreamFramer> framer, StreamFramer::Create(options.framer));
  RETURN_IF_ERROR(engine.Reset(options.slot, options.settings));
  const std::unique_ptr<StepWorkspace> workspace = engine.MakeWorkspace();
  Rendering rendering;
  rendering.latency_samples = framer->latency();
  for (int64_t i = 0; i < chunks; ++i) {
    push(*framer, i);
    RETURN_IF_ERROR(StepWhileReady(engine, options.slot, *framer, *workspace));
    Drain(*framer, &rendering);
    if (options.progress) options.progress(static_cast<double>(i) / chunks);
  }
  framer->Finish();
  RETURN_IF_ERROR(StepWhileReady(engine, options.slot, *framer, *workspace));
  Drain(*framer, &rendering);
  if (options.progress) options.progress(1);
  return rendering;
}

}  // namespace

absl::StatusOr<Rendering> Render(VoiceEngine& engine, RenderOptions options, absl::Span<const float> audio) {
  options.settings.input = StreamInput::kAudio;
  const int64_t chunk = std::max<int64_t>(1, options.chunk_samples), size = audio.size();
  return RenderChunks(engine, std::move(options), CeilDiv(size, chunk),
                      [&](StreamFramer& framer, int64_t i) { framer.PushAudio(audio.subspan(i * chunk, chunk)); });
}

absl::StatusOr<Rendering> RenderControls(VoiceEngine& engine, RenderOptions options,
                                         absl::Span<const ControlFrame> frames, int64_t input_samples) {
  options.settings.input = StreamInput::kControls;
  const StreamFormat format = engine.format(StreamInput::kControls);
  options.framer.input_rate = format.sample_rate;
  const int64_t hop = format.hop_size;
  if (input_samples > static_cast<int64_t>(frames.size()) * hop) {
    return absl::InvalidArgumentError(absl::StrCat("input_samples is ", input_samples, ", but ", frames.size(),
                                                   " frames stand for ", frames.size() * hop));
  }
  return RenderChunks(engine, std::move(options), CeilDiv(input_samples, hop), [&](StreamFramer& framer, int64_t i) {
    framer.PushControl(frames[i], std::min(hop, input_samples - i * hop));
  });
}

}  // namespace ddsp
