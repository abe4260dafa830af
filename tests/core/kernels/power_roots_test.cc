#include "core/kernels/power_roots.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

constexpr float kLeast = 1e-6f, kShare = 1e-6f;

// Powers over many decades, as spectra have.
std::vector<float> Powers(int64_t size, float decades) {
  std::vector<float> powers = RandomValues(size, -decades, decades);
  for (float& x : powers) x = std::pow(10.0f, x);
  powers[size / 2] = 0;
  return powers;
}

std::vector<double> CompressInDouble(const std::vector<float>& power) {
  const double floor = kLeast + kShare * static_cast<double>(*std::max_element(power.begin(), power.end()));
  std::vector<double> r;
  double norm = 1e-9;
  for (const float x : power) {
    r.push_back(std::pow(x + floor, 0.125) - std::pow(floor, 0.125));
    norm += r.back() * r.back();
  }
  for (double& x : r) x /= std::sqrt(norm);
  return r;
}

TEST(CompressSpectrum, EqualsTheRootsInDouble) {
  ForEachTarget([] {
    for (const int64_t size : {1, 2, 15, 16, 17, 321, 641}) {
      for (const float decades : {0.0f, 3.0f, 6.0f}) {
        const std::vector<float> power = Powers(size, decades);
        std::vector<float> shape(size + 1, -7);
        CompressSpectrum(power, kLeast, kShare, shape.data());
        const std::vector<double> expected = CompressInDouble(power);
        for (int64_t k = 0; k < size; ++k) ASSERT_NEAR(shape[k], expected[k], 2e-6) << k << " of " << size;
        ASSERT_EQ(shape[size], -7);
      }
    }
  });
}

TEST(CompressSpectrum, OfSilenceIsSilence) {
  std::vector<float> shape(100, -7);
  CompressSpectrum(std::vector<float>(100), kLeast, kShare, shape.data());
  EXPECT_EQ(shape, std::vector<float>(100));
}

TEST(ThreeQuarterPowers, EqualThePowersInDouble) {
  ForEachTarget([] {
    for (const int64_t size : {1, 7, 16, 33, 385}) {
      const std::vector<float> power = Powers(size, 6.0f);
      std::vector<float> out(size);
      ThreeQuarterPowers(power, out.data());
      for (int64_t k = 0; k < size; ++k) {
        const double expected = std::pow(static_cast<double>(power[k]), 0.75);
        ASSERT_NEAR(out[k], expected, 2e-7 * expected);
      }
    }
  });
}

}  // namespace
}  // namespace ddsp::kernels
