#include "core/kernels/activations.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"

namespace ddsp::kernels {
namespace {

// A fine grid, small and large magnitudes, and a count that no vector divides.
std::vector<float> Arguments() {
  std::vector<float> x = {0.0f, -0.0f};
  for (float v = -40; v <= 40; v += 0.00037f) x.push_back(v);
  for (float v = 1e-30f; v < 80; v *= 1.01f) {
    x.push_back(v);
    x.push_back(-v);
  }
  while (x.size() % 16 != 7) x.push_back(0.3f);
  return x;
}

template <class Kernel, class Oracle>
void ExpectRelativeError(Kernel kernel, Oracle oracle, double bound) {
  ForEachTarget([&] {
    const std::vector<float> x = Arguments();
    std::vector<float> y(x.size());
    kernel(x.data(), x.size(), y.data());
    double worst = 0;
    float where = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double expected = oracle(static_cast<double>(x[i]));
      const double error = std::abs(y[i] - expected) / std::max(std::abs(expected), 1e-37);
      if (error > worst) where = x[i];
      worst = std::max(worst, error);
    }
    EXPECT_LE(worst, bound) << "at " << where;
  });
}

TEST(Activations, Sigmoid) {
  ExpectRelativeError(
      &Sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, 3e-7);
}

TEST(Activations, Tanh) {
  ExpectRelativeError(
      &Tanh, [](double x) { return std::tanh(x); }, 3e-7);
}

TEST(Activations, ExpSigmoid) {
  const auto oracle = [](double x) { return 2 * std::pow(1 / (1 + std::exp(-x)), std::log(10)) + 1e-7; };
  ExpectRelativeError(&ExpSigmoid, oracle, 6e-7);
}

TEST(Activations, LeakyRelu) {
  ExpectRelativeError(
      &LeakyRelu, [](double x) { return x >= 0 ? x : 0.2 * x; }, 1e-7);
}

TEST(Activations, BiasedExpSigmoidShiftsItsArgument) {
  const std::vector<float> x = {-3, 0, 1, 7}, shifted = {-8, -5, -4, 2};
  std::vector<float> y(4), expected(4);
  BiasedExpSigmoid(x.data(), -5, 4, y.data());
  ExpSigmoid(shifted.data(), 4, expected.data());
  EXPECT_EQ(y, expected);
}

TEST(Activations, ExtremesAreFinite) {
  const std::vector<float> x = {-3e38f, -1e4f, -100, 100, 1e4f, 3e38f};
  std::vector<float> y(x.size());
  for (const auto kernel : {&Sigmoid, &Tanh, &ExpSigmoid}) {
    kernel(x.data(), x.size(), y.data());
    for (const float value : y) EXPECT_TRUE(std::isfinite(value));
  }
}

}  // namespace
}  // namespace ddsp::kernels
