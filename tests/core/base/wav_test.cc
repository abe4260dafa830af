#include "core/base/wav.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Wav, FloatsSurviveARoundTrip) {
  const Wav wav{48000, 2, {0, 0.1f, -0.7f, 1.5f}};
  const auto read = ParseWav(FormatWav(wav, WavEncoding::kFloat32));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->sample_rate, 48000);
  EXPECT_EQ(read->frames(), 2);
  EXPECT_EQ(read->samples, wav.samples);
}

TEST(Wav, SixteenBitsClipAndRound) {
  const auto read = ParseWav(FormatWav({16000, 1, {2.0f, -2.0f, 0.5f}}, WavEncoding::kPcm16));
  EXPECT_THAT(read->samples, ElementsAre(32767 / 32768.0f, -1.0f, 0.5f));
}

TEST(Wav, TakesWhatIsThereOfATruncatedFile) {
  const std::string whole = FormatWav({16000, 1, {0.5f, 0.25f, 0.125f}}, WavEncoding::kPcm16);
  EXPECT_THAT(ParseWav(whole.substr(0, whole.size() - 3))->samples, ElementsAre(0.5f));
}

TEST(Wav, RefusesOtherFiles) {
  EXPECT_THAT(std::string(ParseWav("ID3 and so on, no audio").status().message()), HasSubstr("not a WAV file"));
  std::string eight_bits = FormatWav({16000, 1, {0}}, WavEncoding::kPcm16);
  eight_bits[34] = 8;
  EXPECT_THAT(std::string(ParseWav(eight_bits).status().message()), HasSubstr("8 bits is not supported"));
  EXPECT_EQ(ReadWav("/nonexistent.wav").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace ddsp
