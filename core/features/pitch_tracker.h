#pragma once

#include <span>

#include "core/features/feature_settings.h"

namespace ddsp {

struct PitchEstimate {
  float f0_hz = 0.0f;
  float confidence = 0.0f;
  bool voiced = false;
};

// What pitch tracking remembers of a stream.
struct PitchState {
  float held_hz = 0.0f;
};

// Pitch of a stream: YIN about each frame's centre.
class PitchTracker {
 public:
  // Samples that an estimate looks at on each side of the frame's centre.
  static constexpr int kHalfWindow = 512;

  explicit PitchTracker(const FeatureSettings& settings);

  void Reset(PitchState& state) const;

  // `window` holds the 2 * kHalfWindow samples about the frame's centre.
  PitchEstimate Track(std::span<const float> window, PitchState& state) const;

 private:
  FeatureSettings settings_;
};

}  // namespace ddsp
