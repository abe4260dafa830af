#include "core/kernels/lag_reading.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

TEST(RunningMinimum, IsTheLeastSoFar) {
  ForEachTarget([] {
    for (const int64_t size : {1, 2, 3, 4, 5, 8, 120, 166, 327, 328}) {
      for (const float slope : {0.0f, -0.1f, 0.1f}) {
        std::vector<float> x = RandomValues(size, -1, 1), out(size + 1, -7);
        for (int64_t i = 0; i < size; ++i) x[i] += slope * i;
        RunningMinimum(x, out.data());
        for (int64_t i = 0; i < size; ++i) ASSERT_EQ(out[i], *std::min_element(x.begin(), x.begin() + i + 1)) << i;
        ASSERT_EQ(out[size], -7);
      }
    }
  });
}

TEST(FindPeaks, FindsWhatTheDefinitionFinds) {
  ForEachTarget([] {
    for (const int64_t size : {3, 4, 17, 18, 19, 50, 328}) {
      for (const int first : {1, 2, 7}) {
        std::vector<float> x = RandomValues(size, -1, 1);
        for (float& v : x) v = std::round(5 * v);  // plateaus and zeros, too
        std::vector<int> expected, peaks(size);
        for (int i = first; i + 1 < size; ++i) {
          if (x[i] > 0 && x[i] >= x[i - 1] && x[i] > x[i + 1]) expected.push_back(i);
        }
        peaks.resize(FindPeaks(x, first, peaks.data()));
        EXPECT_EQ(peaks, expected) << size << " from " << first;
      }
    }
  });
}

TEST(FindPeaks, NeedsRoomForEverySecondPoint) {
  std::vector<float> x(328);
  for (size_t i = 1; i < x.size(); i += 2) x[i] = 1;
  std::vector<int> peaks(x.size() / 2);
  EXPECT_EQ(FindPeaks(x, 1, peaks.data()), 163);
}

TEST(ReadLags, EqualsTheSumsInDouble) {
  ForEachTarget([] {
    const std::vector<float> x = RandomValues(300, -1, 1), weights = RandomValues(4 * 131, -1, 1, 2);
    std::vector<float> lowest(300);
    RunningMinimum(x, lowest.data());
    for (const int count : {1, 3, 4, 5, 95, 131}) {
      std::vector<LagTap> taps(count);
      for (int i = 0; i < count; ++i) {
        taps[i].lag = 290 * (count - i) / count;
        std::copy_n(&weights[4 * i], 4, taps[i].weight);
      }
      std::vector<float> out(count + 1, -7);
      ReadLags(taps, x.data(), lowest.data(), out.data());
      for (int i = 0; i < count; ++i) {
        double value = 0, magnitude = 0;
        for (int j = 0; j < 4; ++j) {
          value += static_cast<double>(x[taps[i].lag + j]) * taps[i].weight[j];
          magnitude += std::abs(static_cast<double>(x[taps[i].lag + j]) * taps[i].weight[j]);
        }
        const double below = lowest[taps[i].lag + 1], expected = std::min(value, 2 * (value - below));
        ASSERT_NEAR(out[i], expected, 1e-6 * (magnitude + std::abs(below))) << i << " of " << count;
      }
      ASSERT_EQ(out[count], -7);
    }
  });
}

}  // namespace
}  // namespace ddsp::kernels
