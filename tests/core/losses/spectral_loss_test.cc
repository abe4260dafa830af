#include "core/losses/spectral_loss.h"

#include "gtest/gtest.h"

namespace ddsp {
namespace {

using at::Tensor;

SpectralLossOptions Recipe() {
  SpectralLossOptions options;
  options.logmag_weight = 1.0;
  return options;
}

TEST(SpectralLoss, IsZeroForEqualSignals) {
  const Tensor audio = at::randn({2, 4000});
  EXPECT_EQ(SpectralLoss(Recipe())(audio, audio).item<float>(), 0);
}

TEST(SpectralLoss, TheTotalIsTheSumOfTheScales) {
  const auto result = SpectralLoss(Recipe()).Compute(at::randn({2, 4000}), at::randn({2, 4000}));
  double sum = 0;
  for (const auto& scale : result.scales) sum += scale.mag.item<double>() + scale.logmag.item<double>();
  EXPECT_EQ(result.scales.size(), 6);
  EXPECT_NEAR(result.total.item<double>(), sum, 1e-4);
  EXPECT_FALSE(result.scales[0].delta_time.defined());
}

// Upstream's mean over nothing makes the whole loss NaN.
TEST(SpectralLoss, AScaleOfOneFrameHasNoDifferenceInTime) {
  SpectralLossOptions options;
  options.fft_sizes = {512, 64};
  options.delta_time_weight = 1.0;
  const auto result = SpectralLoss(options).Compute(at::randn({1, 100}), at::randn({1, 100}));
  EXPECT_FALSE(result.scales[0].delta_time.defined());
  EXPECT_TRUE(result.scales[1].delta_time.defined());
  EXPECT_TRUE(at::isfinite(result.total).item<bool>());
}

TEST(SpectralLoss, DescentAlongItsGradientLowersIt) {
  const Tensor target = at::randn({1, 3000}), audio = at::randn({1, 3000}).requires_grad_(true);
  const SpectralLoss loss(Recipe());
  const Tensor before = loss(target, audio);
  before.backward();
  const Tensor step = audio.detach() - 1e-3 * audio.grad() / audio.grad().norm();
  EXPECT_LT(loss(target, step).item<float>(), before.item<float>());
}

TEST(MeanDifference, CosineIgnoresLength) {
  const Tensor x = at::randn({3, 5});
  EXPECT_NEAR(MeanDifference(x, 2 * x, LossType::kCosine).item<double>(), 0, 1e-6);
  EXPECT_NEAR(MeanDifference(x, -x, LossType::kCosine).item<double>(), 2, 1e-6);
}

TEST(MeanDifference, RejectsUnknownNames) { EXPECT_THROW(ParseLossType("L3"), c10::ValueError); }

}  // namespace
}  // namespace ddsp
