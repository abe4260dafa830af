#include "core/kernels/log_sum_exp.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

TEST(LogSumExp, EqualsTheSumInDouble) {
  ForEachTarget([] {
    for (const int64_t size : {1, 2, 5, 16, 31, 131, 1000}) {
      for (const float range : {0.1f, 3.0f, 200.0f}) {
        const std::vector<float> x = RandomValues(size, -range, range);
        double sum = 0;
        for (const float v : x) sum += std::exp(static_cast<double>(v));
        const double expected = std::log(sum);
        EXPECT_NEAR(LogSumExp(x), expected, 2e-6 + 0x1p-23 * std::abs(expected)) << size << " up to " << range;
      }
    }
  });
}

TEST(LogSumExp, OfOneIsItself) { EXPECT_EQ(LogSumExp(std::vector<float>{-1234.5f}), -1234.5f); }

}  // namespace
}  // namespace ddsp::kernels
