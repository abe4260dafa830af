#include "core/kernels/dot.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

TEST(Dot, EqualsTheSumInLongDouble) {
  ForEachTarget([] {
    for (const int64_t size : {0, 1, 3, 7, 8, 15, 31, 32, 33, 256, 1000, 1024}) {
      const std::vector<float> a = RandomValues(size, -1, 1), b = RandomValues(size, -1, 1, 2);
      long double sum = 0, magnitude = 0;
      for (int64_t i = 0; i < size; ++i) {
        sum += static_cast<long double>(a[i]) * b[i];
        magnitude += std::abs(static_cast<long double>(a[i]) * b[i]);
      }
      EXPECT_LE(std::abs(Dot(a, b) - sum), size * 0x1p-53L * magnitude) << size;
    }
  });
}

}  // namespace
}  // namespace ddsp::kernels
