#include "core/picture/spectrogram.h"

#include <algorithm>
#include <cmath>

#include "gtest/gtest.h"

namespace ddsp {
namespace {

std::vector<float> Sine(double hz, int samples) {
  std::vector<float> sine(samples);
  for (int n = 0; n < samples; ++n) sine[n] = static_cast<float>(std::sin(2 * M_PI * hz * n / 16000));
  return sine;
}

TEST(Spectrogram, AFullScaleSineIsZeroDecibelsAtItsRow) {
  for (const FrequencyAxis scale : {FrequencyAxis::kLinear, FrequencyAxis::kLogarithmic}) {
    SpectrogramOptions options;
    options.scale = scale;
    constexpr int kRows = 320;
    const auto levels = SpectrogramLevels(Sine(1000, 16000), 10, kRows, 1, options);
    const auto& middle = levels[5];
    const auto loudest = std::max_element(middle.begin(), middle.end());
    EXPECT_NEAR(*loudest, 0, 0.5);
    const double share =
        scale == FrequencyAxis::kLinear ? 1000.0 / 8000 : std::log(1000.0 / 50) / std::log(8000.0 / 50);
    EXPECT_NEAR(loudest - middle.begin(), share * kRows, 2);
  }
}

TEST(Spectrogram, SilenceAfterTheEndStaysSilent) {
  const auto levels = SpectrogramLevels(Sine(1000, 8000), 10, 100, 1, {});
  EXPECT_GT(*std::max_element(levels[2].begin(), levels[2].end()), -1);
  EXPECT_LT(*std::max_element(levels[8].begin(), levels[8].end()), -150);
}

TEST(Spectrogram, PanelsStandOneAboveTheOther) {
  const SpectrogramPanel panel{"a", Sine(440, 1600)};
  const Image one = DrawSpectrograms({panel}, {}), two = DrawSpectrograms({panel, panel}, {});
  EXPECT_EQ(two.height(), 2 * one.height());
  EXPECT_EQ(two.width(), one.width());
}

}  // namespace
}  // namespace ddsp
