#include "core/models/performer_profile.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using ::testing::HasSubstr;

FeatureFrame Voiced(float f0_hz, float power_db) { return {f0_hz, 1, true, 0, power_db}; }

TEST(PerformerProfile, MeasuresVoicedFramesOnly) {
  std::vector<FeatureFrame> frames(100, FeatureFrame{});
  for (int i = 0; i <= 100; ++i) frames.push_back(Voiced(440, -60.0f + 0.4f * i));
  const auto profile = MeasureProfile("me", frames, 50);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_NEAR(profile->mean_pitch_midi, 69, 1e-4);
  EXPECT_NEAR(profile->power_quantiles_db.front(), -60, 1e-4);
  EXPECT_NEAR(profile->power_quantiles_db[50], -40, 1e-3);
  EXPECT_NEAR(profile->power_quantiles_db.back(), -20, 1e-4);
}

TEST(PerformerProfile, NeedsASecondOfSound) {
  const std::vector<FeatureFrame> frames(25, Voiced(440, -20));
  EXPECT_THAT(std::string(MeasureProfile("me", frames, 50).status().message()), HasSubstr("found 500 ms"));
}

TEST(PerformerProfile, SurvivesItsFile) {
  const PerformerProfile profile{"a singer", {-50.5f, -30, -10}, 57.25f};
  const auto read = ParseProfile(FormatProfile(profile));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->name, profile.name);
  EXPECT_EQ(read->power_quantiles_db, profile.power_quantiles_db);
  EXPECT_EQ(read->mean_pitch_midi, profile.mean_pitch_midi);
}

TEST(PerformerProfile, NamesWhatIsWrongInAFile) {
  const auto error = [](const char* text) { return std::string(ParseProfile(text).status().message()); };
  EXPECT_THAT(error("tempo 90\n"), HasSubstr("unknown line 'tempo'"));
  EXPECT_THAT(error("mean_pitch_midi 60\npower_quantiles_db -20 x\n"), HasSubstr("holds 'x'"));
  EXPECT_THAT(error("mean_pitch_midi 60\npower_quantiles_db -20\n"), HasSubstr("1 power quantiles"));
  EXPECT_THAT(error("mean_pitch_midi 60\npower_quantiles_db -20 -30\n"), HasSubstr("falls: -30"));
  EXPECT_THAT(error("mean_pitch_midi 600\npower_quantiles_db -30 -20\n"), HasSubstr("600"));
}

TEST(ProfileMap, MapsQuantileToQuantile) {
  const ProfileMap map({"singer", {-60, -40, -20}, 50}, {"voice", {-50, -30, -25}, 69});
  EXPECT_FLOAT_EQ(map.PowerDb(-60), -50);
  EXPECT_FLOAT_EQ(map.PowerDb(-50), -40);
  EXPECT_FLOAT_EQ(map.PowerDb(-20), -25);
  // Beyond its range the difference at the end is kept, so that silence stays silent.
  EXPECT_FLOAT_EQ(map.PowerDb(-80), -70);
  EXPECT_FLOAT_EQ(map.PowerDb(0), -5);
  EXPECT_FLOAT_EQ(map.octave_shift_semitones(), 24);
}

TEST(ProfileMap, NeverFalls) {
  const ProfileMap map({"flat", {-30, -30, -30, -10}, 60}, {"voice", {-50, -40, -30, -20}, 62});
  float last = -1000;
  for (float db = -80; db < 10; db += 0.5f) {
    EXPECT_GE(map.PowerDb(db), last);
    last = map.PowerDb(db);
  }
  EXPECT_EQ(map.octave_shift_semitones(), 0);
}

TEST(ProfileMap, TheNeutralOneChangesNothing) {
  EXPECT_EQ(ProfileMap().PowerDb(-33), -33);
  EXPECT_EQ(ProfileMap().octave_shift_semitones(), 0);
}

}  // namespace
}  // namespace ddsp
