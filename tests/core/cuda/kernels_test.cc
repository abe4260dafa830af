// Single kernels on the host against the kernels for CPUs, or against the definition.
#include <cmath>
#include <complex>
#include <numbers>

#include "core/cuda/philox.h"
#include "core/cuda/response_spectra.h"
#include "core/cuda/scalar_math.h"
#include "core/kernels/activations.h"
#include "core/kernels/noise.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/cuda/host_step_device.h"

namespace ddsp::cuda {
namespace {

using ::testing::HasSubstr;

// Bit for bit: a stream may move from a CPU to a GPU.
TEST(CudaKernels, NoiseIsThatOfTheCpu) {
  for (const uint64_t seed : {uint64_t{0}, uint64_t{7}, ~uint64_t{0}, uint64_t{0x123456789abcdef0}}) {
    for (const int64_t block : {int64_t{0}, int64_t{1}, int64_t{1} << 33}) {
      float expected[4];
      kernels::UniformNoise(seed, 4 * block, absl::MakeSpan(expected));
      EXPECT_THAT(UniformNoiseBlock(seed, block).samples, ::testing::ElementsAreArray(expected));
    }
  }
}

TEST(CudaKernels, ExpSigmoidIsThatOfTheCpu) {
  for (float x = -30; x <= 30; x += 0.37f) {
    float expected;
    kernels::ExpSigmoid(&x, 1, &expected);
    EXPECT_NEAR(ExpSigmoid(x), expected, 5e-6f * expected) << x;
  }
  EXPECT_TRUE(std::isnan(ExpSigmoid(std::nanf(""))));
}

TEST(CudaKernels, FftIsItsDefinition) {
  for (const int size : {1, 2, 3, 4, 5, 6, 64, 75, 320, 441 - 9, 1280}) {
    auto plan = PlanFft(size);
    ASSERT_TRUE(plan.ok()) << plan.status();
    const std::vector<float> roots = FftRoots(size);
    plan->roots = reinterpret_cast<const Complex*>(roots.data());
    std::vector<Complex> x(size), scratch(size);
    for (int n = 0; n < size; ++n) x[n] = {std::sin(1.0f + n * n), std::cos(3.0f * n * n)};
    const std::vector<Complex> input = x;
    const SerialTeam team(32, Turns::kForward, nullptr);
    const Complex* transform = plan->Forward(team, x.data(), scratch.data());
    for (int k = 0; k < size; k += 1 + size / 7) {
      std::complex<double> sum = 0;
      for (int n = 0; n < size; ++n) {
        sum += std::complex<double>(input[n].re, input[n].im) *
               std::polar(1.0, -2 * std::numbers::pi * (static_cast<int64_t>(k) * n % size) / size);
      }
      EXPECT_NEAR(transform[k].re, sum.real(), 2e-6 * size) << size << " " << k;
      EXPECT_NEAR(transform[k].im, sum.imag(), 2e-6 * size) << size << " " << k;
    }
  }
}

TEST(CudaKernels, FftRefusesOtherFactors) {
  EXPECT_THAT(std::string(PlanFft(77).status().message()), HasSubstr("hop of 77 samples has a prime factor above 5"));
}

}  // namespace
}  // namespace ddsp::cuda
