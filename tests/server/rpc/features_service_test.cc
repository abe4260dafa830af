#include "server/rpc/features_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "core/features/feature_extractor.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

std::vector<float> Tone() {
  std::vector<float> tone(8000);
  for (size_t n = 0; n < tone.size(); ++n) {
    tone[n] = static_cast<float>(0.3 * std::sin(2 * std::numbers::pi * 220 * static_cast<double>(n) / 16000));
  }
  return tone;
}

v1::ExtractRequest RequestOf(const std::vector<float>& audio) {
  v1::ExtractRequest request;
  request.mutable_format()->set_encoding(v1::PCM_F32LE);
  request.mutable_format()->set_sample_rate_hz(16000);
  request.set_audio(reinterpret_cast<const char*>(audio.data()), audio.size() * sizeof(float));
  return request;
}

std::string ReasonOfRequest(const v1::ExtractRequest& request) {
  v1::ExtractResponse response;
  return ReasonOf(ExtractFeatures(request, &response));
}

TEST(ExtractFeatures, GivesWhatTheExtractorGives) {
  v1::ExtractRequest request = RequestOf(Tone());
  request.set_frame_rate_hz(50);
  v1::ExtractResponse response;
  ASSERT_TRUE(ExtractFeatures(request, &response).ok());
  FeatureSettings settings;
  settings.frame_rate = 50;
  const auto expected = (*FeatureExtractor::Create(settings))->Extract(Tone());
  ASSERT_EQ(response.features().f0_hz_size(), static_cast<int>(expected.size()));
  EXPECT_EQ(response.features().frame_rate_hz(), 50);
  for (size_t t = 0; t < expected.size(); ++t) {
    EXPECT_EQ(response.features().f0_hz(t), expected[t].f0_hz);
    EXPECT_EQ(response.features().power_db(t), expected[t].power_db);
    EXPECT_EQ(response.features().voiced(t), expected[t].voiced);
  }
}

TEST(ExtractFeatures, NamesWhatItCannotTake) {
  v1::ExtractRequest request = RequestOf(Tone());
  request.mutable_format()->set_sample_rate_hz(44100);
  EXPECT_EQ(ReasonOfRequest(request), "FORMAT_UNSUPPORTED");
  request = RequestOf(Tone());
  request.mutable_format()->set_encoding(v1::OPUS);
  EXPECT_EQ(ReasonOfRequest(request), "FORMAT_UNSUPPORTED");
  request = RequestOf(Tone());
  request.set_frame_rate_hz(33);
  EXPECT_EQ(ReasonOfRequest(request), "INVALID_CONFIG");
  request = RequestOf(Tone());
  request.mutable_audio()->push_back('x');
  EXPECT_EQ(ReasonOfRequest(request), "BLOCK_MALFORMED");
  EXPECT_EQ(ReasonOfRequest(RequestOf({std::numeric_limits<float>::quiet_NaN()})), "AUDIO_NOT_FINITE");
}

}  // namespace
}  // namespace ddsp::server
