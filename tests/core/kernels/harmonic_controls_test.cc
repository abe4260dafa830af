#include "core/kernels/harmonic_controls.h"

#include <cmath>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

double ExpSigmoidInDouble(double x) { return 2 * std::pow(1 / (1 + std::exp(-x)), std::log(10)) + 1e-7; }

TEST(HarmonicControls, NormalisesWhatIsBelowNyquist) {
  ForEachTarget([] {
    for (const float f0_hz : {0.0f, 55.0f, 133.4f, 400.0f, 3000.0f, 4000.0f}) {
      const std::vector<float> distribution = RandomValues(61, -4, 4);
      std::vector<float> amplitudes(61);
      HarmonicControls(0.7f, distribution.data(), 61, f0_hz, 16000, amplitudes.data());
      std::vector<double> expected(61);
      double sum = 0;
      for (int k = 0; k < 61; ++k)
        sum += expected[k] = (k + 1) * f0_hz < 8000 ? ExpSigmoidInDouble(distribution[k]) : 0;
      for (int k = 0; k < 61; ++k) {
        const double value = ExpSigmoidInDouble(0.7f) * expected[k] / sum;
        EXPECT_NEAR(amplitudes[k], value, 3e-6 * value) << f0_hz << " Hz, harmonic " << k + 1;
      }
    }
  });
}

TEST(HarmonicControls, IsSilentWhereEveryHarmonicIsAboveNyquist) {
  const std::vector<float> distribution = RandomValues(60, -4, 4);
  std::vector<float> amplitudes(60, 1);
  HarmonicControls(1, distribution.data(), 60, 8000, 16000, amplitudes.data());
  EXPECT_THAT(amplitudes, testing::Each(0.0f));
}

}  // namespace
}  // namespace ddsp::kernels
