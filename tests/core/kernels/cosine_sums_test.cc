#include "core/kernels/cosine_sums.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

std::vector<float> WeightsOf(int terms) {
  std::vector<float> weights = RandomValues(terms, 0, 1);
  weights.resize((terms + CosineSums::kBlock - 1) / CosineSums::kBlock * CosineSums::kBlock);
  return weights;
}

double SumInDouble(const std::vector<float>& weights, double angle) {
  double sum = 0;
  for (size_t k = 0; k < weights.size(); ++k) sum += weights[k] * std::cos(k * angle);
  return sum;
}

TEST(CosineSums, EqualTheSumsInDouble) {
  ForEachTarget([] {
    for (const int terms : {1, 2, 16, 17, 385, 512}) {
      const std::vector<float> weights = WeightsOf(terms);
      double magnitude = 0;
      for (const float w : weights) magnitude += w;
      for (const double step : {1e-4, 3e-3, 0.2}) {
        const CosineSums sums(terms, step);
        for (const double angle : {0.0, 0.01, 0.7, 3.1}) {
          const CosineSums::Values values = sums.At(weights.data(), angle);
          EXPECT_NEAR(values.before, SumInDouble(weights, angle - step), 2e-6 * magnitude) << terms << ' ' << angle;
          EXPECT_NEAR(values.at, SumInDouble(weights, angle), 2e-6 * magnitude) << terms << ' ' << angle;
          EXPECT_NEAR(values.after, SumInDouble(weights, angle + step), 2e-6 * magnitude) << terms << ' ' << angle;
        }
      }
    }
  });
}

// Sums of floats would lose a second difference this small: it is 1e-7 of the sums.
TEST(CosineSums, BendIsExactForTinySteps) {
  ForEachTarget([] {
    constexpr int kTerms = 300;
    constexpr double kStep = 2e-6, kAngle = 0.02;
    const std::vector<float> weights = WeightsOf(kTerms);
    const CosineSums::Values values = CosineSums(kTerms, kStep).At(weights.data(), kAngle);
    double bend = 0, magnitude = 0;
    for (int k = 0; k < kTerms; ++k) {
      const double turn = 2 * (std::cos(k * kStep) - 1);
      bend += weights[k] * std::cos(k * kAngle) * turn;
      magnitude += weights[k] * std::abs(turn);
    }
    EXPECT_NEAR(values.before - 2 * values.at + values.after, bend, 2e-6 * magnitude);
  });
}

}  // namespace
}  // namespace ddsp::kernels
