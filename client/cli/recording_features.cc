#include "client/cli/recording_features.h"

#include <memory>

#include "core/audio/audio_file.h"
#include "core/audio/file_resampler.h"
#include "core/base/status_macros.h"

namespace ddsp::client {

absl::StatusOr<std::vector<FeatureFrame>> ExtractFromFile(const std::string& path, int frame_rate) {
  FeatureSettings settings;
  settings.frame_rate = frame_rate;
  ASSIGN_OR_RETURN(const std::unique_ptr<FeatureExtractor> extractor, FeatureExtractor::Create(settings));
  ASSIGN_OR_RETURN(const AudioFile file, ReadAudioFile(path));
  ASSIGN_OR_RETURN(const std::vector<float> audio, ResampleFile(file.samples, file.sample_rate, settings.sample_rate));
  return extractor->Extract(audio);
}

}  // namespace ddsp::client
