#include "core/dsp/resample.h"

#include <cmath>
#include <tuple>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/gradient_check.h"

namespace ddsp {
namespace {

using at::Tensor;

std::vector<float> Values(const Tensor& x) {
  const Tensor flat = x.contiguous().flatten().to(at::kFloat);
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

// Sample by sample, in double: position i * frames / n, the last frame held.
float LinearOracle(const std::vector<float>& x, int64_t n, int64_t i) {
  const double position = static_cast<double>(i) * static_cast<double>(x.size()) / static_cast<double>(n);
  const auto lower = static_cast<size_t>(position);
  const double next = x[std::min(lower + 1, x.size() - 1)];
  return static_cast<float>(x[lower] + (next - x[lower]) * (position - static_cast<double>(lower)));
}

TEST(Resample, HoldsTheLastFrame) {
  EXPECT_THAT(Values(Resample(at::arange(5, at::kFloat), 10)),
              testing::ElementsAre(0, .5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4));
}

TEST(Resample, EndsOnTheLastFrameWithoutHold) {
  const Tensor y = Resample(at::arange(5, at::kFloat), 9, Interpolation::kLinear, Endpoint::kLast);
  EXPECT_THAT(Values(y), testing::ElementsAre(0, .5, 1, 1.5, 2, 2.5, 3, 3.5, 4));
}

TEST(Resample, LinearMatchesTheLoopAtWholeAndFractionalRatios) {
  const Tensor x = at::randn({7});
  for (const int64_t n : {3, 7, 14, 21, 45, 700}) {
    const std::vector<float> y = Values(Resample(x, n)), source = Values(x);
    for (int64_t i = 0; i < n; ++i) EXPECT_NEAR(y[i], LinearOracle(source, n, i), 1e-6) << n << " " << i;
  }
}

// The closed form of two overlapping Hann windows.
TEST(Resample, WindowIsARaisedCosineFromFrameToFrame) {
  constexpr int64_t kFrames = 4, kHop = 8;
  const Tensor x = at::randn({1, kFrames, 2});
  const Tensor y = Resample(x, kFrames * kHop, Interpolation::kWindow);
  for (int64_t k = 0; k < kFrames; ++k) {
    for (int64_t m = 0; m < kHop; ++m) {
      const double r = 0.5 - 0.5 * std::cos(M_PI * static_cast<double>(m) / kHop);
      const double from = x[0][k][1].item<double>(), to = x[0][std::min(k + 1, kFrames - 1)][1].item<double>();
      EXPECT_NEAR(y[0][k * kHop + m][1].item<double>(), from * (1 - r) + to * r, 1e-6);
    }
  }
}

TEST(Resample, AConstantStaysConstant) {
  for (const auto method :
       {Interpolation::kNearest, Interpolation::kLinear, Interpolation::kCubic, Interpolation::kWindow}) {
    const Tensor y = Resample(at::full({2, 5, 3}, 0.7), 40, method);
    EXPECT_TRUE(at::allclose(y, at::full({2, 40, 3}, 0.7), 1e-6, 1e-6));
  }
}

TEST(Resample, RejectsWindowsThatDoNotFit) {
  const Tensor x = at::zeros({1, 5, 2});
  EXPECT_THROW(Resample(x, 21, Interpolation::kWindow), c10::ValueError);  // no multiple
  EXPECT_THROW(Resample(x, 5, Interpolation::kWindow), c10::ValueError);   // no upsampling
  EXPECT_THROW(Resample(at::zeros({1, 5, 2, 2}), 20, Interpolation::kWindow), c10::ValueError);
  EXPECT_THROW(ParseInterpolation("bilinear"), c10::ValueError);
}

// Linear and window go through one node of the autograd graph.
TEST(Resample, HasTheGradientsOfDifferences) {
  at::manual_seed(1);
  for (const Interpolation method : {Interpolation::kLinear, Interpolation::kWindow}) {
    for (const Endpoint endpoint : {Endpoint::kHold, Endpoint::kLast}) {
      const int64_t n = endpoint == Endpoint::kHold ? 5 * 8 : 4 * 8;
      const auto resampled = [&](const std::vector<Tensor>& x) { return Resample(x[0], n, method, endpoint); };
      EXPECT_LE(GradientError(resampled, {at::randn({2, 5, 3}, at::kDouble)}), 1e-8);
    }
  }
}

}  // namespace
}  // namespace ddsp
