// Synthesis.Render with config.adjust: the recording becomes the controls that fit it to the voice.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "ddsp/v1/session.pb.h"
#include "server/registry/registry.h"
#include "server/session/session_limits.h"

namespace ddsp::server {

// What a session is fed with.
struct RenderInput {
  v1::RenderRequest request;
  // Driven by controls: where the recording that they stand for ends, at the input rate; at most
  // frames * frame_samples, at least one sample into the last frame.
  int64_t control_samples = 0;
};

// Reads the whole recording, hence takes a while. Errors: those of a session's config, MODEL_NOT_FOUND,
// BLOCK_MALFORMED, AUDIO_NOT_FINITE, INVALID_CONFIG (an option out of range, a voice without a profile).
absl::StatusOr<RenderInput> AdjustRender(const v1::RenderRequest& request, const Registry& registry,
                                         const SessionLimits& limits);

}  // namespace ddsp::server
