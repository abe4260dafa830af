#include "core/kernels/spectrum_distance.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

// Whole vectors, rests, and a bin of exactly zero.
TEST(CompareSpectra, EqualsTheLoopInDouble) {
  ForEachTarget([] {
    for (const int64_t count : {1, 3, 16, 33, 5000}) {
      const DistanceWeights weights = {0.5, 2.0, 1e-3};
      const std::vector<float> target = RandomValues(2 * count, -1, 1, 1);
      std::vector<float> synth = RandomValues(2 * count, -1, 1, 2);
      synth[0] = synth[1] = 0;
      const std::vector<float> before = synth;
      const SpectrumDistance distance = CompareSpectra(weights, count, target.data(), synth.data());
      double magnitude = 0, log_magnitude = 0;
      for (int64_t i = 0; i < count; ++i) {
        const double s = std::hypot(before[2 * i], before[2 * i + 1]), t = std::hypot(target[2 * i], target[2 * i + 1]);
        magnitude += std::abs(s - t);
        log_magnitude += std::abs(std::log(s + 1e-3) - std::log(t + 1e-3));
        const double slope = s == 0 ? 0 : std::copysign(0.5 + 2.0 / (s + 1e-3), s - t) / s;
        ASSERT_NEAR(synth[2 * i], slope * before[2 * i], 1e-5 * (1 + std::abs(slope))) << i;
        ASSERT_NEAR(synth[2 * i + 1], slope * before[2 * i + 1], 1e-5 * (1 + std::abs(slope))) << i;
      }
      EXPECT_NEAR(distance.magnitude, magnitude, 1e-6 * magnitude);
      EXPECT_NEAR(distance.log_magnitude, log_magnitude, 1e-6 * log_magnitude);
    }
  });
}

// <frames of x, y> = <x, overlap-add of y>.
TEST(FrameSignal, ItsAdjointIsOverlapAdd) {
  ForEachTarget([] {
    const Framing framing = {.samples = 300, .size = 64, .hop = 16, .frames = 19};
    const auto x = RandomValues(framing.samples, -1, 1, 1), window = RandomValues(framing.size, 0, 1, 2);
    const auto y = RandomValues(framing.frames * framing.size, -1, 1, 3);
    std::vector<float> frames(y.size()), signal(x.size());
    FrameSignal(framing, x.data(), window.data(), frames.data());
    OverlapAddFrames(framing, y.data(), window.data(), signal.data());
    double forward = 0, backward = 0;
    for (size_t i = 0; i < y.size(); ++i) forward += static_cast<double>(frames[i]) * y[i];
    for (size_t n = 0; n < x.size(); ++n) backward += static_cast<double>(signal[n]) * x[n];
    EXPECT_NEAR(forward, backward, 1e-4);
  });
}

}  // namespace
}  // namespace ddsp::kernels
