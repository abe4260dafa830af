#include "core/kernels/integer_dense.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

// And the set beyond AVX3, for which few kernels are compiled.
template <class Body>
void ForEachIntegerTarget(Body body) {
  ForEachTarget(body);
#if HWY_ARCH_X86
  if ((hwy::SupportedTargets() & HWY_AVX3_DL) != 0) {
    ChooseTargets(HWY_AVX3_DL | HWY_AVX3);
    SCOPED_TRACE("AVX3_DL");
    body();
    ChooseTargets(0);
  }
#endif
}

std::vector<float> Apply(const IntegerDense& dense, const std::vector<float>& x, int64_t rows) {
  std::vector<float> y(rows * dense.outputs());
  std::vector<char> scratch(dense.scratch_bytes(rows));
  dense.Apply(x.data(), dense.inputs(), rows, y.data(), dense.outputs(), scratch.data());
  return y;
}

// The header's bound, from the weights' true steps; and what roundings that know nothing of each other add up to.
TEST(IntegerDense, EqualsTheProductInDoubleWithinItsSteps) {
  ForEachIntegerTarget([] {
    for (const int64_t inputs : {1, 2, 17, 127, 128, 129, 300}) {
      for (const int64_t outputs : {1, 15, 32, 33, 126, 160}) {
        const std::vector<float> kernel = RandomValues(inputs * outputs, -1, 1), bias = RandomValues(outputs, -1, 1, 2);
        const IntegerDense dense(kernel, bias, inputs, outputs);
        for (const int64_t rows : {1, 3, 4, 7, 12, 13}) {
          const std::vector<float> x = RandomValues(rows * inputs, -3, 3, 3), y = Apply(dense, x, rows);
          double squares = 0, expected_squares = 0;
          for (int64_t r = 0; r < rows; ++r) {
            float largest = 0;
            for (int64_t i = 0; i < inputs; ++i) largest = std::max(largest, std::fabs(x[r * inputs + i]));
            for (int64_t o = 0; o < outputs; ++o) {
              double sum = bias[o], bound = 1e-6 * (1 + inputs), spread = 0;
              const double x_step = largest / 8191, w_step = dense.weight_step(o);
              for (int64_t i = 0; i < inputs; ++i) {
                const double a = x[r * inputs + i], w = kernel[i * outputs + o];
                sum += a * w;
                bound += std::fabs(a) * w_step / 2 + (std::fabs(w) + w_step / 2) * x_step / 2;
                spread += (a * a * w_step * w_step + w * w * x_step * x_step) / 12;
              }
              const double error = y[r * outputs + o] - sum;
              ASSERT_LE(std::fabs(error), bound) << inputs << " x " << outputs;
              squares += error * error;
              expected_squares += spread;
            }
          }
          EXPECT_LE(std::sqrt(squares), 2 * std::sqrt(expected_squares) + 1e-5 * std::sqrt(rows * outputs)) << inputs;
        }
      }
    }
  });
}

TEST(IntegerDense, ARowIsTheSameToTheBitInAnyBatch) {
  ForEachIntegerTarget([] {
    const IntegerDense dense(RandomValues(267 * 190, -1, 1), RandomValues(190, -1, 1, 2), 267, 190);
    const std::vector<float> x = RandomValues(267, -1, 1, 3), alone = Apply(dense, x, 1);
    for (const int64_t rows : {2, 3, 5, 12, 13, 30, 64}) {
      for (int64_t place = 0; place < rows; ++place) {
        std::vector<float> batch = RandomValues(rows * 267, -9, 9, 4);
        std::copy(x.begin(), x.end(), batch.begin() + place * 267);
        const std::vector<float> y = Apply(dense, batch, rows);
        ASSERT_EQ(std::vector<float>(y.begin() + place * 190, y.begin() + (place + 1) * 190), alone) << place;
      }
    }
  });
}

// The 32-bit sums hold whatever comes: all weights and inputs at their largest, of one sign.
TEST(IntegerDense, DoesNotOverflow) {
  ForEachIntegerTarget([] {
    const std::vector<float> kernel(1024, 0.25f), x(1024, -7.0f);
    EXPECT_NEAR(Apply(IntegerDense(kernel, {}, 1024, 1), x, 1)[0], -1792, 1792e-3);
  });
}

TEST(IntegerDense, ARowThatIsNotFiniteStaysSo) {
  ForEachIntegerTarget([] {
    const IntegerDense dense(RandomValues(40 * 5, -1, 1), {}, 40, 5);
    for (const float poison : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
      for (const int place : {3, 39}) {
        std::vector<float> x = RandomValues(80, -1, 1, 3);
        const std::vector<float> before = Apply(dense, x, 2);
        x[place] = poison;
        const std::vector<float> y = Apply(dense, x, 2);
        for (int o = 0; o < 5; ++o) {
          EXPECT_TRUE(std::isnan(y[o]));
          EXPECT_EQ(y[5 + o], before[5 + o]);
        }
      }
    }
  });
}

TEST(IntegerDense, SilenceGivesTheBias) {
  EXPECT_EQ(Apply(IntegerDense({1, 2, 3, 4}, std::vector<float>{5, 6}, 2, 2), {0, 0}, 1), (std::vector<float>{5, 6}));
}

}  // namespace
}  // namespace ddsp::kernels
