#pragma once

#include "absl/status/status.h"

namespace ddsp {

// What a feature extractor computes. A model bundle names the settings its training used; live use with others is an
// error.
struct FeatureSettings {
  // Samples per second of the analysed audio. Only 16000 is built.
  int sample_rate = 16000;
  // Frames per second, 25 to 250, a divisor of the sample rate: 50 for the voice, 100 for `ddsp features`.
  int frame_rate = 50;
  // Samples of a power frame, even, 64 to 1024.
  int power_frame_size = 1024;
  // Samples of a loudness frame, a power of two, 64 to 1024.
  int loudness_fft_size = 512;
  // Pitch range in Hz; lowest 50, highest 2100, at least an octave apart.
  float min_f0_hz = 50.0f;
  float max_f0_hz = 2100.0f;
  // Counts changes of the extractor that change its numbers. Only kVersion is built.
  int version = kVersion;

  static constexpr int kVersion = 2;

  // Samples from one frame centre to the next.
  int hop() const { return sample_rate / frame_rate; }

  friend bool operator==(const FeatureSettings&, const FeatureSettings&) = default;
};

// INVALID_ARGUMENT names the first setting out of range, its value and the range.
absl::Status ValidateFeatureSettings(const FeatureSettings& settings);

}  // namespace ddsp
