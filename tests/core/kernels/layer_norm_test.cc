#include "core/kernels/layer_norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

TEST(LayerNormLeakyRelu, EqualsTheFormulaInDouble) {
  ForEachTarget([] {
    for (const int64_t width : {1, 3, 16, 33, 256, 512}) {
      const int64_t rows = 5, stride = width + 7;
      const std::vector<float> x = RandomValues(rows * width, -3, 5), gamma = RandomValues(width, 0, 2, 2),
                               beta = RandomValues(width, -1, 1, 3);
      std::vector<float> y(rows * stride);
      LayerNormLeakyRelu(x.data(), rows, width, gamma.data(), beta.data(), y.data(), stride);
      for (int64_t r = 0; r < rows; ++r) {
        double mean = 0, variance = 0;
        for (int64_t i = 0; i < width; ++i) mean += x[r * width + i] / static_cast<double>(width);
        for (int64_t i = 0; i < width; ++i) variance += std::pow(x[r * width + i] - mean, 2) / width;
        const auto normalised = [&](int64_t i) { return (x[r * width + i] - mean) / std::sqrt(variance + 1e-3); };
        double largest = 0;
        for (int64_t i = 0; i < width; ++i) largest = std::max(largest, std::abs(normalised(i)));
        for (int64_t i = 0; i < width; ++i) {
          const double value = normalised(i) * gamma[i] + beta[i];
          const double bound = 1e-6 * (std::abs(gamma[i]) * largest + std::abs(beta[i]));
          EXPECT_NEAR(y[r * stride + i], value >= 0 ? value : 0.2 * value, bound) << width;
        }
      }
    }
  });
}

TEST(LayerNormLeakyRelu, WorksInPlace) {
  const std::vector<float> x = RandomValues(2 * 256, -1, 1), ones(256, 1), zeros(256, 0);
  std::vector<float> y(2 * 256), in_place = x;
  LayerNormLeakyRelu(x.data(), 2, 256, ones.data(), zeros.data(), y.data(), 256);
  LayerNormLeakyRelu(in_place.data(), 2, 256, ones.data(), zeros.data(), in_place.data(), 256);
  EXPECT_EQ(y, in_place);
}

}  // namespace
}  // namespace ddsp::kernels
