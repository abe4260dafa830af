#include "core/offline/adjusted_controls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/streaming/render.h"
#include "core/streaming/voice_loader.h"
#include "tests/support/test_voice.h"

namespace ddsp {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kSamples = 3 * 16000 + 77;

std::shared_ptr<const Voice> TestVoice() { return std::make_shared<const Voice>(testing::MakeTestVoice()); }

TEST(RenderControls, FeaturesOfARecordingGiveWhatTheRecordingGives) {
  const auto voice = TestVoice();
  const auto engine = *MakeVoiceEngine(voice, 1);
  const std::vector<float> audio = testing::TestMelody(kSamples);
  RenderOptions options;
  options.framer.tail = TailPolicy::kCut;
  const auto heard = Render(*engine, options, audio);
  ASSERT_TRUE(heard.ok()) << heard.status();

  const auto extractor = *FeatureExtractor::Create(voice->feature_settings());
  std::vector<ControlFrame> controls;
  for (const FeatureFrame& frame : extractor->Extract(audio)) controls.push_back({frame.f0_hz, frame.power_db});
  const auto played = RenderControls(*engine, options, controls, kSamples);
  ASSERT_TRUE(played.ok()) << played.status();
  ASSERT_EQ(played->audio.size(), heard->audio.size());
  // The last hop leads to a frame after the end, which controls do not have.
  for (int64_t i = 0; i < kSamples - 2 * 320; ++i) ASSERT_NEAR(played->audio[i], heard->audio[i], 1e-6) << i;
}

TEST(RenderControls, NeedsAFrameForEveryHop) {
  const auto engine = *MakeVoiceEngine(TestVoice(), 1);
  const std::vector<ControlFrame> controls(10);
  EXPECT_THAT(std::string(RenderControls(*engine, {}, controls, 3201).status().message()),
              HasSubstr("input_samples is 3201, but 10 frames stand for 3200"));
}

TEST(AdjustToVoice, BringsAMelodyIntoTheVoicesRegisterAndDynamics) {
  Voice voice = testing::MakeTestVoice();
  voice.spec.mutable_profile()->set_mean_pitch_midi(40);
  voice.spec.mutable_profile()->clear_power_quantiles_db();
  for (const float db : {-60.0f, -41.0f, -40.0f}) voice.spec.mutable_profile()->add_power_quantiles_db(db);
  const auto adjusted = AdjustToVoice(voice, testing::TestMelody(kSamples));
  ASSERT_TRUE(adjusted.ok()) << adjusted.status();
  EXPECT_LT(adjusted->octaves, 0);
  EXPECT_GT(adjusted->note_seconds, 0.5);
  // The melody is about 20 dB louder than that; what lies between its notes is not mapped.
  const auto loud = std::count_if(adjusted->frames.begin(), adjusted->frames.end(),
                                  [](const ControlFrame& frame) { return frame.power_db > -39.999f; });
  EXPECT_LT(loud, static_cast<int64_t>(adjusted->frames.size()) / 10);
}

TEST(AdjustToVoice, NamesABadOption) {
  const auto adjusted = AdjustToVoice(testing::MakeTestVoice(), testing::TestMelody(kSamples), {.threshold = 3});
  EXPECT_EQ(adjusted.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(adjusted.status().message()), HasSubstr("threshold is 3"));
}

TEST(AdjustToVoice, AVoiceWithoutAProfileCannotBeAdjustedTo) {
  Voice voice = testing::MakeTestVoice();
  voice.spec.mutable_profile()->clear_power_quantiles_db();
  EXPECT_EQ(AdjustToVoice(voice, testing::TestMelody(kSamples)).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace ddsp
