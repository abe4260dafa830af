#include "core/kernels/partitioned_convolver.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

std::vector<double> ConvolveInDouble(const std::vector<float>& x, const std::vector<float>& taps) {
  std::vector<double> y(x.size());
  for (size_t n = 0; n < x.size(); ++n) {
    for (size_t i = 0; i < taps.size() && i <= n; ++i) y[n] += static_cast<double>(x[n - i]) * taps[i];
  }
  return y;
}

std::vector<float> Convolve(const PartitionedConvolver& convolver, const std::vector<float>& x) {
  std::vector<float> y(x.size()), state(convolver.state_size(), 0), scratch(convolver.scratch_size(), NAN);
  for (size_t n = 0; n < x.size(); n += convolver.block()) {
    convolver.Step(x.data() + n, state.data(), y.data() + n, scratch.data());
  }
  return y;
}

double RelativeError(const std::vector<float>& actual, const std::vector<double>& expected) {
  double error = 0, power = 0;
  for (size_t n = 0; n < actual.size(); ++n) {
    error += std::pow(actual[n] - expected[n], 2);
    power += std::pow(expected[n], 2);
  }
  return std::sqrt(error / power);
}

TEST(PartitionedConvolver, EqualsTheConvolutionInDouble) {
  ForEachTarget([] {
    for (const int block : {32, 64, 320}) {
      for (const int taps :
           {1, block - 1, block, block + 1, 7 * block + 13, 12 * block, 12 * block + 1, 33 * block + 5}) {
        const std::vector<float> x = RandomValues(45 * block, -1, 1), response = RandomValues(taps, -1, 1, 2);
        const PartitionedConvolver convolver(response, block, ConvolverOutput::kWet);
        EXPECT_LE(RelativeError(Convolve(convolver, x), ConvolveInDouble(x, response)), 1e-6) << block << ", " << taps;
        EXPECT_EQ(convolver.tail(), taps - 1);
      }
    }
  });
}

TEST(PartitionedConvolver, ALongReverberationFitsItsStateBudget) {
  std::vector<float> response = RandomValues(24000, -1, 1);
  for (int i = 0; i < 24000; ++i) response[i] *= std::exp(-i / 4000.0f);
  const PartitionedConvolver convolver(response, 320, ConvolverOutput::kWet);
  EXPECT_LE(convolver.state_size() * sizeof(float), 256u << 10);
  const std::vector<float> x = RandomValues(100 * 320, -1, 1, 2);
  EXPECT_LE(RelativeError(Convolve(convolver, x), ConvolveInDouble(x, response)), 1e-6);
}

TEST(PartitionedConvolver, AddsTheInputWhereAsked) {
  const std::vector<float> x = RandomValues(10 * 64, -1, 1), response = RandomValues(200, -1, 1, 2);
  const std::vector<float> wet = Convolve(PartitionedConvolver(response, 64, ConvolverOutput::kWet), x);
  const std::vector<float> both = Convolve(PartitionedConvolver(response, 64, ConvolverOutput::kDryPlusWet), x);
  for (size_t n = 0; n < x.size(); ++n) EXPECT_EQ(both[n], x[n] + wet[n]);
}

TEST(PartitionedConvolver, AClickComesOutWithoutDelay) {
  std::vector<float> x(5 * 64, 0.0f), response(150, 0.0f);
  x[70] = 1;
  response[0] = 0.5f;
  response[149] = 0.25f;
  const std::vector<float> y = Convolve(PartitionedConvolver(response, 64, ConvolverOutput::kWet), x);
  for (int n = 0; n < 5 * 64; ++n) EXPECT_NEAR(y[n], n == 70 ? 0.5f : n == 219 ? 0.25f : 0, 1e-6) << n;
}

// What is not a number in a stream's state is worked out of it, and reads nothing outside (the sanitizer watches).
TEST(PartitionedConvolver, RecoversFromAStateThatIsNotANumber) {
  const PartitionedConvolver convolver(RandomValues(2000, -1, 1), 64, ConvolverOutput::kWet);
  std::vector<float> state(convolver.state_size(), NAN), scratch(convolver.scratch_size()), x(64, 0.5f), y(64);
  for (int step = 0; step < 50; ++step) convolver.Step(x.data(), state.data(), y.data(), scratch.data());
  for (const float sample : y) EXPECT_TRUE(std::isfinite(sample));
}

}  // namespace
}  // namespace ddsp::kernels
