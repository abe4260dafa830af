// Recordings from disk: whatever libsndfile reads (WAV of 16, 24, 32 bits or float, FLAC, Ogg, AIFF, ...).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/audio/audio_reader.h"

namespace ddsp {

// Two gigabytes of samples: more than 3 hours at 48 kHz.
inline constexpr int64_t kMaxFileFrames = int64_t{1} << 29;

struct AudioFile {
  int sample_rate = 0;         // Hz, kMinFileRate to kMaxFileRate
  std::vector<float> samples;  // mono: the mean of all channels; at least one, finite; full scale is 1
};

// Errors name the path and the reason: NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT (a directory, no audio, empty,
// without samples, a rate out of range, NaN or infinity and where, longer than kMaxFileFrames).
absl::StatusOr<AudioFile> ReadAudioFile(const std::string& path);

}  // namespace ddsp
