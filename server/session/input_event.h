// What a client feeds a session, decoded and checked, on its way to the session's stream.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "core/streaming/voice_engine.h"

namespace ddsp::server {

struct AudioIn {
  std::vector<float> samples;  // finite, at the input rate
  int64_t skipped = 0;         // decoded samples of the codec's delay, left out
};

struct ControlsIn {
  std::vector<ControlFrame> frames;
  int64_t frame_samples = 0;  // that each holds for, at the input rate
};

struct ChangeIn {
  int64_t sample = 0;  // at the input rate
  StreamParameters parameters;
};

struct FlushIn {
  uint64_t id = 0;
};

struct EndIn {};

using InputEvent = std::variant<AudioIn, ControlsIn, ChangeIn, FlushIn, EndIn>;

}  // namespace ddsp::server
