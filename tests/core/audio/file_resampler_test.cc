#include "core/audio/file_resampler.h"

#include <cmath>

#include "gtest/gtest.h"

namespace ddsp {
namespace {

std::vector<float> Sine(double hz, int rate, int samples) {
  std::vector<float> sine(samples);
  for (int n = 0; n < samples; ++n) sine[n] = static_cast<float>(0.5 * std::sin(2 * M_PI * hz * n / rate));
  return sine;
}

TEST(ResampleFile, KeepsEverySampleAtItsTime) {
  for (int from : {8000, 44100, 48000, 192000}) {
    for (int to : {16000, 44100, 48000}) {
      const auto out = ResampleFile(Sine(440, from, from / 2), from, to);
      ASSERT_TRUE(out.ok()) << out.status();
      const std::vector<float> expected = Sine(440, to, (from / 2 * int64_t{to} + from - 1) / from);
      ASSERT_EQ(out->size(), expected.size());
      // The ends see silence beyond the file. Half a sample of shift would be an error of 0.03 at 48 kHz.
      double worst = 0;
      for (size_t n = to / 20; n < expected.size() - to / 20; ++n)
        worst = std::max<double>(worst, std::abs((*out)[n] - expected[n]));
      EXPECT_LT(worst, 2e-4) << from << " to " << to;
    }
  }
}

TEST(ResampleFile, RoundsItsLengthUp) {
  EXPECT_EQ(ResampleFile(std::vector<float>(1), 48000, 16000)->size(), 1);
  EXPECT_EQ(ResampleFile(std::vector<float>(7), 44100, 16000)->size(), 3);
  EXPECT_TRUE(ResampleFile({}, 44100, 16000)->empty());
}

TEST(ResampleFile, EqualRatesChangeNothing) {
  const std::vector<float> samples = {0.1f, -0.2f, 0.3f};
  EXPECT_EQ(*ResampleFile(samples, 16000, 16000), samples);
}

TEST(ResampleFile, RefusesRatesBelowOne) {
  EXPECT_EQ(ResampleFile(std::vector<float>(1), 0, 16000).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(FileResampler, BlocksOfAnySizeGiveTheSamplesOfTheWhole) {
  for (const auto& [from, to] : {std::pair{44100, 16000}, {48000, 16000}, {8000, 16000}, {16000, 16000}}) {
    const std::vector<float> in = Sine(440, from, from / 2 + 7);
    const std::vector<float> whole = ResampleFile(in, from, to).value();
    for (const size_t size : {size_t{1}, size_t{997}, in.size()}) {
      FileResampler resampler = FileResampler::Create(from, to).value();
      std::vector<float> out;
      for (size_t begin = 0; begin < in.size(); begin += size) {
        const size_t samples = std::min(size, in.size() - begin);
        ASSERT_TRUE(resampler.Push(absl::MakeSpan(in).subspan(begin, samples), &out).ok());
      }
      ASSERT_TRUE(resampler.Finish(&out).ok());
      ASSERT_EQ(out.size(), whole.size()) << from << " to " << to << " by " << size;
      double worst = 0;
      for (size_t n = 0; n < out.size(); ++n) worst = std::max<double>(worst, std::abs(out[n] - whole[n]));
      EXPECT_LE(worst, 1e-7) << from << " to " << to << " by " << size;
    }
  }
}

TEST(FileResampler, OfNothingIsNothing) {
  std::vector<float> out;
  FileResampler resampler = FileResampler::Create(44100, 16000).value();
  ASSERT_TRUE(resampler.Finish(&out).ok());
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(FileResampler::Create(44100, 0).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace ddsp
