#include "client/cli/recording_features.h"

#include <memory>

#include "client/sdk/unary_calls.h"
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

absl::StatusOr<std::vector<FeatureFrame>> ExtractRemotely(const std::string& path, int frame_rate,
                                                          const ServerAddress& server) {
  const int rate = FeatureSettings().sample_rate;
  ASSIGN_OR_RETURN(const AudioFile file, ReadAudioFile(path));
  ASSIGN_OR_RETURN(const std::vector<float> audio, ResampleFile(file.samples, file.sample_rate, rate));
  v1::ExtractRequest request;
  request.mutable_format()->set_encoding(v1::PCM_F32LE);
  request.mutable_format()->set_sample_rate_hz(rate);
  request.set_audio(reinterpret_cast<const char*>(audio.data()), audio.size() * sizeof(float));
  request.set_frame_rate_hz(frame_rate);
  ASSIGN_OR_RETURN(const v1::ExtractResponse response, ExtractFeatures(server, request));
  const v1::FeatureBlock& block = response.features();
  std::vector<FeatureFrame> frames;
  for (int i = 0; i < block.f0_hz_size(); ++i) {
    frames.push_back({block.f0_hz(i), block.f0_confidence(i), block.voiced(i), block.loudness_db(i), block.power_db(i)});
  }
  return frames;
}

}  // namespace ddsp::client
