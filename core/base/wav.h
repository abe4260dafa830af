// WAV files of one or more channels. Reads 16-, 24-, 32-bit integer and 32-bit float PCM; writes 16-bit or float.
// For other formats (FLAC, ...) see core/audio.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace ddsp {

struct Wav {
  int sample_rate = 0;  // Hz
  int channels = 1;
  std::vector<float> samples;  // interleaved, full scale is 1

  int64_t frames() const { return channels == 0 ? 0 : static_cast<int64_t>(samples.size()) / channels; }
};

enum class WavEncoding { kPcm16, kFloat32 };

// Errors: INVALID_ARGUMENT (not a WAV file, unsupported encoding, truncated header).
absl::StatusOr<Wav> ParseWav(std::string_view bytes);
absl::StatusOr<Wav> ReadWav(const std::string& path);

// Pcm16 clips at full scale and rounds to nearest.
std::string FormatWav(const Wav& wav, WavEncoding encoding);
absl::Status WriteWav(const std::string& path, const Wav& wav, WavEncoding encoding = WavEncoding::kFloat32);

}  // namespace ddsp
