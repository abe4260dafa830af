#include <cmath>
#include <memory>

#include "core/streaming/random_voice.h"
#include "core/streaming/voice_loader.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

std::vector<float> Render(const std::string& recipe, const std::string& arithmetic) {
  const auto voice = MakeRandomVoice({.recipe = recipe, .name = "random", .arithmetic = arithmetic});
  EXPECT_TRUE(voice.ok()) << voice.status();
  return voice->golden.output;
}

// What is heard of the rounding: 60 dB below the sound, and never beyond what the golden test of a voice allows.
TEST(NetworkArithmetic, SixteenBitsSoundTheSame) {
  for (const char* recipe : {"vst", "solo_instrument"}) {
    const std::vector<float> exact = Render(recipe, "float32"), rounded = Render(recipe, "int16");
    ASSERT_EQ(exact.size(), rounded.size());
    double error = 0, power = 0, largest = 0;
    for (size_t i = 0; i < exact.size(); ++i) {
      const double difference = exact[i] - rounded[i];
      error += difference * difference;
      power += static_cast<double>(exact[i]) * exact[i];
      largest = std::max(largest, std::fabs(difference));
    }
    EXPECT_GT(10 * std::log10(power / error), 60) << recipe;
    EXPECT_LT(largest, 1e-3) << recipe;
    EXPECT_GT(error, 0) << recipe;
  }
}

}  // namespace
}  // namespace ddsp
