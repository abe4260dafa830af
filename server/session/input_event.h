// What a client feeds a session, decoded and checked, on its way to the session's stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "core/streaming/voice_engine.h"
#include "server/session/input_gate.h"

namespace ddsp::server {

// Where a client's input stands after a block: what may come next.
struct InputMark {
  GatePosition gate;
  int left_to_skip = 0;       // samples of the codec's delay
  StreamParameters declared;  // in force after all changes
};

struct AudioIn {
  std::vector<float> samples;  // finite, at the input rate
  int64_t skipped = 0;         // decoded samples of the codec's delay, left out
  std::string packet;          // what they were decoded from, where a decoder must be able to go on from here
  InputMark mark;
};

struct ControlsIn {
  std::vector<ControlFrame> frames;
  int64_t frame_samples = 0;  // that each holds for, at the input rate
};

struct ChangeIn {
  int64_t sample = 0;  // at the input rate
  StreamParameters parameters;
};

// A block of either or both, or of none: the change comes first.
struct ControlIn {
  std::optional<ChangeIn> change;
  std::optional<ControlsIn> frames;
  InputMark mark;
};

struct FlushIn {
  uint64_t id = 0;
};

struct EndIn {};

using InputEvent = std::variant<AudioIn, ControlIn, FlushIn, EndIn>;

struct Arrival {
  InputEvent event;
  absl::Time at;  // when it came
};

}  // namespace ddsp::server
