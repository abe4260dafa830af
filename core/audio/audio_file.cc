#include "core/audio/audio_file.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ddsp {

absl::StatusOr<AudioFile> ReadAudioFile(const std::string& path) {
  ASSIGN_OR_RETURN(AudioReader reader, AudioReader::Open(path));
  if (reader.promised_samples() > kMaxFileFrames) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", reader.promised_samples(), " samples are more than ",
                                                   kMaxFileFrames, "; cut it into parts"));
  }
  AudioFile audio{reader.sample_rate(), {}};
  audio.samples.reserve(reader.promised_samples());
  std::vector<float> block(65536);
  for (;;) {
    ASSIGN_OR_RETURN(const int64_t samples, reader.Read(absl::MakeSpan(block)));
    if (samples == 0) break;
    audio.samples.insert(audio.samples.end(), block.begin(), block.begin() + samples);
  }
  return audio;
}

}  // namespace ddsp
