#include "core/losses/spectral_loss.h"

#include <tuple>

#include "core/losses/fused_spectral_loss.h"
#include "gtest/gtest.h"
#include "tests/support/gradient_check.h"

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

TEST(SpectralLoss, RefusesOtherShapes) {
  const SpectralLoss loss(Recipe());
  EXPECT_THROW(loss(at::zeros({1, 4000}), at::zeros({1, 4001})), c10::ValueError);
}

// mag_weight, logmag_weight, log_floor.
class FusedSpectralLossTest : public testing::TestWithParam<std::tuple<double, double, double>> {
 protected:
  void SetUp() override { at::manual_seed(6); }
  SpectralLossOptions Options() const {
    SpectralLossOptions options;
    options.fft_sizes = {256, 64, 8};
    std::tie(options.mag_weight, options.logmag_weight, options.log_floor) = GetParam();
    return options;
  }
};

TEST_P(FusedSpectralLossTest, EqualsThePlainFormInDouble) {
  const SpectralLossOptions options = Options();
  const Tensor target = 0.1 * at::randn({2, 1001}), audio = 0.1 * at::randn({2, 1001});  // no multiple of any hop
  Tensor plain = audio.to(at::kDouble).requires_grad_(true);
  const Tensor expected = SpectralLoss(options).Compute(target.to(at::kDouble), plain).total;
  expected.backward();
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    Tensor fused = audio.detach().to(type, /*non_blocking=*/false, /*copy=*/true).requires_grad_(true);
    ASSERT_TRUE(CanFuseSpectralLoss(options, target.to(type), fused, {}));
    const Tensor loss = FusedSpectralLoss(options, target.to(type), fused);
    loss.backward();
    const bool single = type == at::kFloat;
    EXPECT_NEAR(loss.item<double>(), expected.item<double>(), (single ? 2e-6 : 1e-12) * expected.item<double>());
    // A bin near zero has a gradient as large as it is small, and float32 knows it to few digits.
    EXPECT_LE((fused.grad() - plain.grad()).abs().max().item<double>(),
              (single ? 2e-3 : 1e-9) * plain.grad().abs().max().item<double>());
  }
}

TEST_P(FusedSpectralLossTest, HasTheGradientsOfDifferences) {
  const Tensor target = at::randn({2, 90}, at::kDouble);
  const auto loss = [&](const std::vector<Tensor>& x) { return FusedSpectralLoss(Options(), target, x[0]); };
  EXPECT_LE(GradientError(loss, {at::randn({2, 90}, at::kDouble)}, 1e-7), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Weights, FusedSpectralLossTest,
                         testing::Values(std::tuple(1.0, 1.0, 0.0), std::tuple(1.0, 0.0, 0.0),
                                         std::tuple(0.5, 2.0, 1e-3)));

TEST(FusedSpectralLoss, SilenceAgainstItselfCostsNothingAndPullsNowhere) {
  const Tensor audio = at::zeros({1, 4000}).requires_grad_(true);
  const Tensor loss = FusedSpectralLoss(Recipe(), at::zeros({1, 4000}), audio);
  loss.backward();
  EXPECT_EQ(loss.item<double>(), 0);
  EXPECT_EQ(audio.grad().abs().max().item<double>(), 0);
}

TEST(FusedSpectralLoss, IsNotForOtherTermsOrTargetsThatLearn) {
  const Tensor audio = at::zeros({1, 4000});
  SpectralLossOptions options = Recipe();
  EXPECT_TRUE(CanFuseSpectralLoss(options, audio, audio, {}));
  EXPECT_FALSE(CanFuseSpectralLoss(options, audio.clone().requires_grad_(true), audio, {}));
  EXPECT_FALSE(CanFuseSpectralLoss(options, audio, audio, at::ones({1})));
  options.fft_sizes = {768};
  EXPECT_FALSE(CanFuseSpectralLoss(options, audio, audio, {}));
  options = Recipe();
  options.delta_freq_weight = 1;
  EXPECT_FALSE(CanFuseSpectralLoss(options, audio, audio, {}));
}

TEST(MeanDifference, CosineIgnoresLength) {
  const Tensor x = at::randn({3, 5});
  EXPECT_NEAR(MeanDifference(x, 2 * x, LossType::kCosine).item<double>(), 0, 1e-6);
  EXPECT_NEAR(MeanDifference(x, -x, LossType::kCosine).item<double>(), 2, 1e-6);
}

TEST(MeanDifference, RejectsUnknownNames) { EXPECT_THROW(ParseLossType("L3"), c10::ValueError); }

}  // namespace
}  // namespace ddsp
