#include "core/kernels/fft.h"

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

constexpr double kError = 1e-6;  // rms relative to the result's: the declared bound

std::vector<std::complex<double>> TransformInDouble(const std::vector<float>& x) {
  const int64_t size = x.size();
  std::vector<std::complex<double>> root(size), result(size / 2 + 1);
  for (int64_t n = 0; n < size; ++n) root[n] = std::polar(1.0, -2 * std::numbers::pi * n / size);
  for (int64_t k = 0; k <= size / 2; ++k) {
    for (int64_t n = 0; n < size; ++n) result[k] += static_cast<double>(x[n]) * root[k * n % size];
  }
  return result;
}

void ExpectTransformsBothWays(int size) {
  const RealFft fft(size);
  const std::vector<float> x = RandomValues(size, -1, 1);
  std::vector<float> re(fft.bins()), im(fft.bins()), scratch(fft.scratch_size(), NAN), back(size);
  fft.Forward(x.data(), re.data(), im.data(), scratch.data());
  double error = 0, power = 0;
  const std::vector<std::complex<double>> expected = TransformInDouble(x);
  for (int k = 0; k < fft.bins(); ++k) {
    error += std::norm(std::complex<double>(re[k], im[k]) - expected[k]);
    power += std::norm(expected[k]);
  }
  EXPECT_LE(std::sqrt(error / power), kError) << size;
  fft.Inverse(re.data(), im.data(), back.data(), scratch.data());
  error = power = 0;
  for (int n = 0; n < size; ++n) {
    error += std::pow(back[n] - x[n], 2);
    power += std::pow(x[n], 2);
  }
  EXPECT_LE(std::sqrt(error / power), kError) << size;
}

TEST(RealFft, EqualsTheSumInDoubleForEverySmallSize) {
  ForEachTarget([] {
    for (int size = 2; size <= 700; size += 2) {
      if (RealFft::Supports(size)) ExpectTransformsBothWays(size);
    }
  });
}

TEST(RealFft, EqualsTheSumInDoubleForTheSizesInUse) {
  ForEachTarget([] {
    for (const int size : {128, 256, 512, 640, 1024, 1280, 1920, 2048, 4096, 8192}) ExpectTransformsBothWays(size);
  });
}

// The autocorrelation, as far as it is asked for; the power spectrum is what Forward says.
void ExpectPowerAndItsInverse(int size) {
  const RealFft fft(size);
  const std::vector<float> x = RandomValues(size, -1, 1);
  std::vector<float> re(fft.bins()), im(fft.bins()), power(fft.bins() + 1, -7), scratch(fft.scratch_size(), NAN);
  fft.Forward(x.data(), re.data(), im.data(), scratch.data());
  fft.Power(x.data(), power.data(), scratch.data());
  double energy = 0;
  for (int k = 0; k < fft.bins(); ++k) {
    const double expected = static_cast<double>(re[k]) * re[k] + static_cast<double>(im[k]) * im[k];
    ASSERT_NEAR(power[k], expected, 1e-6 * expected) << k << " of " << size;
  }
  ASSERT_EQ(power[fft.bins()], -7) << size;
  for (const float v : x) energy += static_cast<double>(v) * v;
  for (const int count : {2, size / 4 * 2, size - 2, size}) {
    if (count < 2) continue;
    std::vector<float> out(count + 1, -7);
    fft.InverseOfReal(power.data(), count, out.data(), scratch.data());
    for (int lag = 0; lag < count; ++lag) {
      double expected = 0;
      for (int n = 0; n < size; ++n) expected += static_cast<double>(x[n]) * x[(n + lag) % size];
      ASSERT_NEAR(out[lag], expected, 2e-6 * energy) << lag << " of " << count << ", size " << size;
    }
    ASSERT_EQ(out[count], -7) << size;
  }
}

TEST(RealFft, ThePowersInverseIsTheAutocorrelation) {
  ForEachTarget([] {
    for (const int size : {2, 4, 6, 8, 16, 20, 30, 32, 64, 96, 128, 160, 256, 512, 640, 1024}) {
      ExpectPowerAndItsInverse(size);
    }
  });
}

TEST(RealFft, SupportsSizesOfSmallFactorsOnly) {
  for (const int size : {2, 640, 8192, 30}) EXPECT_TRUE(RealFft::Supports(size)) << size;
  for (const int size : {-2, 0, 1, 3, 14, 125, 641, 1 << 22}) EXPECT_FALSE(RealFft::Supports(size)) << size;
}

TEST(RealFft, AnImpulseHasAFlatSpectrum) {
  const RealFft fft(640);
  std::vector<float> x(640), re(fft.bins()), im(fft.bins()), scratch(fft.scratch_size());
  x[0] = 1;
  fft.Forward(x.data(), re.data(), im.data(), scratch.data());
  for (int k = 0; k < fft.bins(); ++k) EXPECT_TRUE(re[k] == 1 && im[k] == 0) << k;
}

}  // namespace
}  // namespace ddsp::kernels
