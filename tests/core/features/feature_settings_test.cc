#include "core/features/feature_settings.h"

#include <cmath>
#include <functional>
#include <string>

#include "core/features/feature_extractor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using ::testing::HasSubstr;

TEST(FeatureSettings, DefaultsAreValid) { EXPECT_TRUE(ValidateFeatureSettings({}).ok()); }

TEST(FeatureSettings, EveryFrameRateInRangeThatDividesTheSampleRateIsValid) {
  for (int rate = 1; rate <= 500; ++rate) {
    const bool valid = rate >= 25 && rate <= 250 && 16000 % rate == 0;
    EXPECT_EQ(ValidateFeatureSettings({.frame_rate = rate}).ok(), valid) << rate;
  }
}

TEST(FeatureSettings, AnErrorNamesTheSettingAndItsValue) {
  struct Case {
    FeatureSettings settings;
    std::string name, value;
  };
  const Case cases[] = {
      {{.sample_rate = 44100}, "sample_rate", "44100"},
      {{.frame_rate = 0}, "frame_rate", "0"},
      {{.frame_rate = 60}, "frame_rate", "60"},
      {{.power_frame_size = 1023}, "power_frame_size", "1023"},
      {{.power_frame_size = 2048}, "power_frame_size", "2048"},
      {{.loudness_fft_size = 500}, "loudness_fft_size", "500"},
      {{.loudness_fft_size = 0}, "loudness_fft_size", "0"},
      {{.min_f0_hz = 20.0f}, "min_f0_hz", "20"},
      {{.min_f0_hz = std::nanf("")}, "min_f0_hz", "nan"},
      {{.max_f0_hz = 4000.0f}, "max_f0_hz", "4000"},
      {{.min_f0_hz = 500.0f, .max_f0_hz = 900.0f}, "max_f0_hz", "900"},
      {{.version = 99}, "version", "99"},
  };
  for (const Case& c : cases) {
    const absl::Status status = FeatureExtractor::Create(c.settings).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.name + " is " + c.value));
  }
}

}  // namespace
}  // namespace ddsp
