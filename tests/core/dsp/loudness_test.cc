#include "core/dsp/loudness.h"

#include "core/dsp/preprocessing.h"
#include "core/dsp/spectrogram.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using at::Tensor;

Tensor Tone(double hz, int64_t samples = 16000) {
  return at::sin(at::arange(samples, at::kDouble) * (2 * M_PI * hz / 16000)).to(at::kFloat).unsqueeze(0);
}

// Full-scale sines, as measured with upstream.
TEST(ComputeLoudness, WeighsTonesAsTheEarDoes) {
  const auto middle = [](double hz) { return ComputeLoudness(Tone(hz))[0][100].item<double>(); };
  EXPECT_NEAR(middle(100), 1.04, 0.05);
  EXPECT_NEAR(middle(440), 15.71, 0.05);
  EXPECT_NEAR(middle(1000), 19.81, 0.05);
  EXPECT_NEAR(middle(3000), 21.03, 0.05);
}

TEST(ComputeLoudness, SilenceIsAtTheFloorWithoutGradient) {
  const Tensor silence = at::zeros({1, 2000}).requires_grad_(true);
  const Tensor loudness = ComputeLoudness(silence);
  EXPECT_EQ(loudness.max().item<float>(), -80);
  loudness.sum().backward();
  EXPECT_EQ(silence.grad().abs().max().item<float>(), 0);
}

TEST(ComputePower, OfAFullScaleSineIsMinusThreeDecibels) {
  LevelOptions options;
  options.frame_rate = 50;
  options.frame_size = 1024;
  EXPECT_NEAR(ComputePower(Tone(500), options)[0][20].item<double>(), -3.01, 0.02);
}

TEST(ComputePower, HasNoGradientAtSilenceInsteadOfNan) {
  const Tensor silence = at::zeros({1, 2000}).requires_grad_(true);
  ComputeRmsEnergy(silence).sum().backward();
  EXPECT_EQ(silence.grad().abs().max().item<float>(), 0);
}

TEST(Stft, PutsAToneIntoItsBin) {
  StftOptions options;
  options.frame_size = 512;
  const Tensor mag = ComputeMag(Tone(1000), options);
  EXPECT_EQ(mag[0][50].argmax().item<int64_t>(), 32);  // 1000 Hz / (16000 Hz / 512)
}

TEST(PreprocessOnlineF0Power, RejectsAPitchOfAnotherLength) {
  const OnlinePowerOptions options = {50, 1024, FramePadding::kCenter};
  const Tensor audio = Tone(500, 3200);
  EXPECT_EQ(
      PreprocessOnlineF0Power(audio, at::full({1, 11}, 440.0), at::ones({1, 11}), options).at("pw_scaled").size(1), 11);
  EXPECT_THROW(PreprocessOnlineF0Power(audio, at::full({1, 10}, 440.0), at::ones({1, 10}), options), c10::ValueError);
}

}  // namespace
}  // namespace ddsp
