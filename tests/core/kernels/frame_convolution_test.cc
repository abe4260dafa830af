#include "core/kernels/frame_convolution.h"

#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

// Hops and taps around the vectors' sizes.
constexpr FrameConvolution kShapes[] = {{1, 1, 1}, {3, 7, 5}, {4, 16, 33}, {2, 65, 128}, {5, 3, 64}};

std::vector<double> Slow(const FrameConvolution& shape, const std::vector<float>& x, const std::vector<float>& h) {
  std::vector<double> y(shape.output_size());
  for (int64_t n = 0; n < shape.frames * shape.hop; ++n) {
    for (int64_t i = 0; i < shape.taps; ++i) {
      y[n + i] += static_cast<double>(x[n]) * h[n / shape.hop * shape.taps + i];
    }
  }
  return y;
}

double Dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

TEST(FrameConvolution, IsTheConvolutionOfEveryFrame) {
  ForEachTarget([] {
    for (const FrameConvolution& shape : kShapes) {
      const auto x = RandomValues(shape.frames * shape.hop, -1, 1, 1);
      const auto h = RandomValues(shape.frames * shape.taps, -1, 1, 2);
      std::vector<float> y(shape.output_size());
      shape.Apply(x.data(), h.data(), y.data());
      const std::vector<double> expected = Slow(shape, x, h);
      for (size_t n = 0; n < y.size(); ++n) ASSERT_NEAR(y[n], expected[n], 1e-7 * shape.taps + 1e-6) << n;
    }
  });
}

// <A x, d> = <x, A* d>, for A in the signal and in the responses.
TEST(FrameConvolution, ItsGradientsAreItsAdjoints) {
  ForEachTarget([] {
    for (const FrameConvolution& shape : kShapes) {
      const auto x = RandomValues(shape.frames * shape.hop, -1, 1, 1);
      const auto h = RandomValues(shape.frames * shape.taps, -1, 1, 2);
      const auto d = RandomValues(shape.output_size(), -1, 1, 3);
      std::vector<float> y(shape.output_size()), d_x(x.size()), d_h(h.size());
      shape.Apply(x.data(), h.data(), y.data());
      shape.SignalGradient(h.data(), d.data(), d_x.data());
      shape.ResponseGradient(x.data(), d.data(), d_h.data());
      EXPECT_NEAR(Dot(y, d), Dot(x, d_x), 1e-4);
      EXPECT_NEAR(Dot(y, d), Dot(h, d_h), 1e-4);
    }
  });
}

}  // namespace
}  // namespace ddsp::kernels
