// A whole recording through one slot of an engine, chunk by chunk: what a live stream of it would give.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/streaming/stream_framer.h"

namespace ddsp {

struct RenderOptions {
  StreamFramer::Options framer;
  StreamSettings settings;
  int slot = 0;
  int64_t chunk_samples = 1024;               // input samples at a time; does not change the result
  std::function<void(double done)> progress;  // 0..1; may be empty
};

struct Rendering {
  std::vector<float> audio;            // at the output rate, lined up with the input, tail included unless cut
  std::vector<FeatureFrame> features;  // frame t is centred at t * hop_size
  int64_t latency_samples = 0;         // declared, at the output rate
};

// options.framer.format is taken from the engine. Errors: those of the framer and the engine.
absl::StatusOr<Rendering> Render(VoiceEngine& engine, RenderOptions options, absl::Span<const float> audio);

// The same driven by controls; frame t is centred at sample t * hop_size. `input_samples`, at the engine's rate, says
// where the recording that they stand for ends, at most frames.size() * hop_size.
absl::StatusOr<Rendering> RenderControls(VoiceEngine& engine, RenderOptions options,
                                         absl::Span<const ControlFrame> frames, int64_t input_samples);

}  // namespace ddsp
