#include "core/kernels/gru.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

struct Gru {
  int64_t inputs, units;
  std::vector<float> kernel, recurrent, bias;
  GruCell cell;

  Gru(int64_t in, int64_t u)
      : inputs(in),
        units(u),
        kernel(RandomValues(in * 3 * u, -0.3f, 0.3f)),
        recurrent(RandomValues(u * 3 * u, -0.3f, 0.3f, 2)),
        bias(RandomValues(6 * u, -0.3f, 0.3f, 3)),
        cell(kernel, recurrent, bias, in, u) {}

  void Step(const std::vector<float>& x, std::vector<float>& state) const {
    const int64_t rows = x.size() / inputs;
    std::vector<float> scratch(cell.scratch_size(rows));
    cell.Step(x.data(), inputs, rows, state.data(), scratch.data());
  }

  // The largest sum of magnitudes that a gate adds up.
  double LargestSum(const std::vector<float>& x, const std::vector<float>& state) const {
    double largest = 0;
    for (int64_t column = 0; column < 3 * units; ++column) {
      double sum = std::abs(bias[column]) + std::abs(bias[3 * units + column]);
      for (int64_t i = 0; i < inputs; ++i) sum += std::abs(x[i] * kernel[i * 3 * units + column]);
      for (int64_t i = 0; i < units; ++i) sum += std::abs(state[i] * recurrent[i * 3 * units + column]);
      largest = std::max(largest, sum);
    }
    return largest;
  }

  // Keras' equations, gate by gate.
  void StepInDouble(const float* x, std::vector<double>& state) const {
    const auto product = [&](int64_t column, bool of_state) {
      double sum = bias[(of_state ? 3 * units : 0) + column];
      for (int64_t i = 0; i < (of_state ? units : inputs); ++i) {
        sum += of_state ? state[i] * recurrent[i * 3 * units + column]
                        : static_cast<double>(x[i]) * kernel[i * 3 * units + column];
      }
      return sum;
    };
    const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
    std::vector<double> next(units);
    for (int64_t u = 0; u < units; ++u) {
      const double z = sigmoid(product(u, false) + product(u, true));
      const double r = sigmoid(product(units + u, false) + product(units + u, true));
      const double candidate = std::tanh(product(2 * units + u, false) + r * product(2 * units + u, true));
      next[u] = z * state[u] + (1 - z) * candidate;
    }
    state = next;
  }
};

TEST(GruCell, EqualsKerasEquationsOverManySteps) {
  ForEachTarget([] {
    const Gru gru(9, 21);
    std::vector<float> state(21, 0);
    std::vector<double> expected(21, 0);
    for (int step = 0; step < 50; ++step) {
      const std::vector<float> x = RandomValues(9, -2, 2, step);
      gru.Step(x, state);
      gru.StepInDouble(x.data(), expected);
      for (int u = 0; u < 21; ++u) ASSERT_NEAR(state[u], expected[u], 2e-6) << "step " << step;
    }
  });
}

TEST(GruCell, ARowIsTheSameToTheBitInAnyBatch) {
  ForEachTarget([] {
    const Gru gru(32, 48);
    const std::vector<float> x = RandomValues(14 * 32, -1, 1), state = RandomValues(14 * 48, -1, 1, 2);
    std::vector<float> batch = state;
    gru.Step(x, batch);
    for (int row = 0; row < 14; ++row) {
      std::vector<float> alone(state.begin() + row * 48, state.begin() + (row + 1) * 48);
      gru.Step({x.begin() + row * 32, x.begin() + (row + 1) * 32}, alone);
      EXPECT_EQ(alone, std::vector<float>(batch.begin() + row * 48, batch.begin() + (row + 1) * 48));
    }
  });
}

TEST(GruCell, AStepKeepsItsErrorBound) {
  ForEachTarget([] {
    const Gru gru(300, 64);
    const std::vector<float> x = RandomValues(300, -1, 1);
    std::vector<float> state = RandomValues(64, -1, 1, 2);
    std::vector<double> expected(state.begin(), state.end());
    const double sum = gru.LargestSum(x, state);
    gru.Step(x, state);
    gru.StepInDouble(x.data(), expected);
    for (int u = 0; u < 64; ++u) EXPECT_NEAR(state[u], expected[u], 3 * 364 * 0x1p-24 * sum * (1 + sum) + 1e-6);
  });
}

// A neighbour's NaN stays the neighbour's.
TEST(GruCell, NotANumberStaysInItsRow) {
  const Gru gru(32, 48);
  const std::vector<float> x = RandomValues(3 * 32, -1, 1);
  std::vector<float> clean = RandomValues(3 * 48, -1, 1, 2), poisoned = clean;
  std::fill(poisoned.begin() + 48, poisoned.begin() + 96, NAN);
  gru.Step(x, clean);
  gru.Step(x, poisoned);
  for (int u = 0; u < 48; ++u) {
    EXPECT_EQ(clean[u], poisoned[u]);
    EXPECT_EQ(clean[96 + u], poisoned[96 + u]);
  }
}

}  // namespace
}  // namespace ddsp::kernels
