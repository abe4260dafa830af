#include "core/kernels/grid_layer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

constexpr int kRoom = 7;

struct Case {
  std::vector<int> taps;
  int64_t inputs, outputs, columns;
  std::vector<float> kernel, bias, shift, x;

  Case(std::vector<int> t, int64_t in, int64_t out, int64_t n)
      : taps(std::move(t)),
        inputs(in),
        outputs(out),
        columns(n),
        kernel(RandomValues(taps.size() * in * out, -1, 1)),
        bias(RandomValues(out * n, -1, 1, 2)),
        shift(RandomValues(out, -1, 1, 3)),
        x(RandomValues(in * stride(), -1, 1, 4)) {}

  int64_t stride() const { return columns + 2 * kRoom; }

  // The element before rectification, and a bound for its rounding.
  std::pair<double, double> InDouble(int64_t o, int64_t n) const {
    double sum = static_cast<double>(bias[o * columns + n]) + shift[o];
    double magnitude = std::abs(bias[o * columns + n]) + std::abs(shift[o]);
    for (size_t t = 0; t < taps.size(); ++t) {
      for (int64_t c = 0; c < inputs; ++c) {
        const double product =
            static_cast<double>(kernel[(t * inputs + c) * outputs + o]) * x[c * stride() + kRoom + n + taps[t]];
        sum += product;
        magnitude += std::abs(product);
      }
    }
    return {sum, (2 + taps.size() * inputs) * 0x1p-24 * magnitude};
  }
};

TEST(GridLayer, EqualsTheSumsInDouble) {
  ForEachTarget([] {
    for (const Case& c : {Case({0}, 1, 8, 48), Case({-2, 7, 0, -7}, 3, 16, 96), Case({-2, -1, 0, 1, 2}, 24, 24, 144)}) {
      const GridLayer layer(c.taps, c.kernel, c.bias, c.inputs, c.outputs);
      const int64_t y_stride = c.columns + 3;
      std::vector<float> x = c.x, y(c.outputs * y_stride, -7);
      layer.Apply({x.data() + kRoom, c.stride()}, c.shift, {y.data(), y_stride});
      for (int64_t o = 0; o < c.outputs; ++o) {
        for (int64_t n = 0; n < c.columns; ++n) {
          const auto [sum, bound] = c.InDouble(o, n);
          ASSERT_NEAR(y[o * y_stride + n], std::max(0.0, sum), bound) << o << ' ' << n;
        }
        for (int64_t n = c.columns; n < y_stride; ++n) ASSERT_EQ(y[o * y_stride + n], -7) << "beyond the columns";
      }
    }
  });
}

TEST(MixPlanes, EqualsTheSumInDouble) {
  ForEachTarget([] {
    constexpr int64_t kColumns = 96, kChannels = 24;
    std::vector<float> x = RandomValues(kChannels * kColumns, -1, 1), y(kColumns);
    const std::vector<float> weights = RandomValues(kChannels, -1, 1, 2);
    MixPlanes({x.data(), kColumns}, weights, kColumns, y.data());
    for (int64_t n = 0; n < kColumns; ++n) {
      double sum = 0, magnitude = 0;
      for (int64_t c = 0; c < kChannels; ++c) {
        sum += static_cast<double>(weights[c]) * x[c * kColumns + n];
        magnitude += std::abs(static_cast<double>(weights[c]) * x[c * kColumns + n]);
      }
      ASSERT_NEAR(y[n], sum, kChannels * 0x1p-24 * magnitude);
    }
  });
}

}  // namespace
}  // namespace ddsp::kernels
