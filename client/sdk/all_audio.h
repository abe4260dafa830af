// What both kinds of live streams do for programs that need no hurry.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "client/sdk/stream_options.h"
#include "core/base/status_macros.h"

namespace ddsp::client {

// All audio up to the end of a SynthesisStream or ResumingStream; other messages are dropped. Errors: the stream's.
template <class Stream>
absl::StatusOr<std::vector<float>> AllAudioOf(Stream& stream) {
  std::vector<float> samples;
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<StreamMessage> message, stream.Read());
    if (!message) return samples;
    if (const auto* audio = std::get_if<AudioBlock>(&*message)) {
      samples.insert(samples.end(), audio->samples.begin(), audio->samples.end());
    }
  }
}

}  // namespace ddsp::client
