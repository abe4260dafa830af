// A recording as the controls of a voice, fitted to it with the statistics of the whole recording.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/dsp/timbre_adjust_options.h"
#include "core/models/voice.h"
#include "core/streaming/voice_engine.h"

namespace ddsp {

struct AdjustedControls {
  std::vector<ControlFrame> frames;  // frame t is centred at sample t * hop_size of the voice
  double octaves = 0;                // shift of the register
  double note_seconds = 0;           // found by the note detector; zero: nothing was changed
};

// audio: at the rate of the voice's features. Errors: INVALID_ARGUMENT that names the option, FAILED_PRECONDITION for a
// voice without a profile of its training material.
absl::StatusOr<AdjustedControls> AdjustToVoice(const Voice& voice, absl::Span<const float> audio,
                                               TimbreAdjustOptions options = {});

}  // namespace ddsp
