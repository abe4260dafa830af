// A session as it should be, through the SDK, and whether all of it came back.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "client/sdk/stream_options.h"
#include "client/sdk/synthesis_stream.h"
#include "load-tests/soak/visit.h"

namespace ddsp::soak {

enum class Pace { kLive, kAtOnce };

struct Performance {
  client::StreamOptions options;
  double seconds = 1;  // of audio
  double message_seconds = 0.02;
  Pace pace = Pace::kLive;
  double flush_chance = 0, change_chance = 0;  // before each message
};

// A random voice, rate and codec, with a random end.
client::StreamOptions SomeOptions(Visit& visit);

// Plays it to its end. Errors: what the session ended with, samples or answers that are missing.
absl::Status Perform(Visit& visit, const Performance& performance);

// Reads up to the end of a session whose input has ended, and counts what came back.
struct Heard {
  int64_t samples = 0, frames = 0;
  int flushes = 0;
  bool summary = false;
};
absl::StatusOr<Heard> HearOut(client::SynthesisStream& stream);

}  // namespace ddsp::soak
