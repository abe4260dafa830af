#include "core/dsp/convolution.h"

#include "core/dsp/filter_design.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using at::Tensor;

// Every frame of the audio convolved with its own response, added up; cropped as asked.
Tensor Oracle(const Tensor& audio, const Tensor& ir, int64_t start, int64_t length) {
  const int64_t samples = audio.size(0), frames = ir.size(0), taps = ir.size(1), hop = (samples + frames - 1) / frames;
  Tensor sum = at::zeros({start + length + samples + taps}, at::kDouble);
  for (int64_t n = 0; n < samples; ++n) {
    sum.narrow(0, n, taps) += audio[n].item<double>() * ir[n / hop].to(at::kDouble);
  }
  return sum.narrow(0, start, length);
}

TEST(FftConvolve, MatchesTheDirectSumForAnyFraming) {
  struct Sizes {
    int64_t samples, frames, taps;
  };
  for (const Sizes s :
       {Sizes{64, 1, 1}, {64, 1, 33}, {25, 1, 1000}, {100, 7, 16}, {24, 24, 8}, {160, 5, 31}, {100, 2, 256}}) {
    const Tensor audio = at::randn({1, s.samples}), ir = at::randn({1, s.frames, s.taps});
    const Tensor same = FftConvolve(audio, ir, {ConvolutionPadding::kSame, 0});
    const Tensor valid = FftConvolve(audio, ir, {ConvolutionPadding::kValid, 0});
    EXPECT_TRUE(at::allclose(same[0].to(at::kDouble), Oracle(audio[0], ir[0], 0, s.samples), 1e-4, 1e-4));
    EXPECT_TRUE(at::allclose(valid[0].to(at::kDouble), Oracle(audio[0], ir[0], 0, s.samples + s.taps - 1), 1e-4, 1e-4));
  }
}

// Upstream returns nothing for these.
TEST(FftConvolve, KeepsItsLengthWhereLittleIsCropped) {
  const Tensor audio = at::randn({1, 100}), ir = at::randn({1, 21});
  const Tensor out = FftConvolve(audio, ir, {ConvolutionPadding::kValid, kAutomaticDelay});
  ASSERT_EQ(out.size(1), 120);
  EXPECT_TRUE(at::allclose(out[0].to(at::kDouble), Oracle(audio[0], ir, 9, 120), 1e-4, 1e-4));
  EXPECT_TRUE(
      at::allclose(FftConvolve(audio, at::full({1, 1}, 2.0), {ConvolutionPadding::kSame, 0}), 2 * audio, 1e-5, 1e-5));
}

TEST(FftConvolve, OneResponseServesTheBatch) {
  const Tensor audio = at::randn({3, 90}), ir = at::randn({1, 3, 20});
  EXPECT_TRUE(at::allclose(FftConvolve(audio, ir), FftConvolve(audio, ir.expand({3, 3, 20})), 1e-5, 1e-5));
}

TEST(FftConvolve, RejectsWhatDoesNotFit) {
  EXPECT_THROW(FftConvolve(at::zeros({2, 50}), at::zeros({3, 10})), c10::ValueError);
  EXPECT_THROW(FftConvolve(at::zeros({1, 1000}), at::zeros({1, 999, 3})), c10::ValueError);
  EXPECT_THROW(FftConvolve(at::zeros({1, 1000}), at::zeros({1, 1010, 3})), c10::ValueError);
  EXPECT_THROW(ParseConvolutionPadding("full"), c10::ValueError);
}

TEST(FrequencyImpulseResponse, AFlatResponseIsAnImpulseInTheMiddle) {
  const Tensor ir = FrequencyImpulseResponse(at::ones({1, 1, 65}));
  ASSERT_EQ(ir.size(2), 128);
  EXPECT_NEAR(ir[0][0][64].item<double>(), 1.0, 1e-6);
  EXPECT_NEAR(ir.abs().sum().item<double>(), 1.0, 1e-5);
}

TEST(SincFilter, PassesBelowAndStopsAboveTheCutoff) {
  SincOptions options;
  options.sample_rate = 16000;
  const Tensor n = at::arange(4000, at::kFloat);
  const auto level = [&](double hz) {
    const Tensor tone = at::sin(n * (2 * M_PI * hz / 16000)).unsqueeze(0);
    return SincFilter(tone, at::full({1, 1, 1}, 2000.0), options).narrow(1, 1000, 2000).abs().max().item<double>();
  };
  EXPECT_NEAR(level(500), 1.0, 0.01);
  EXPECT_LT(level(4000), 0.01);
}

}  // namespace
}  // namespace ddsp
