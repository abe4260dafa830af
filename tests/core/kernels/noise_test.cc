#include "core/kernels/noise.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"

namespace ddsp::kernels {
namespace {

using testing::Each;

std::vector<float> Noise(uint64_t seed, int64_t first, int64_t size) {
  std::vector<float> noise(size);
  UniformNoise(seed, first, absl::MakeSpan(noise));
  return noise;
}

// Philox4x32-10 word by word.
float PhiloxSample(uint64_t seed, int64_t index) {
  const uint64_t block = index / 4;
  std::array<uint32_t, 4> c = {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0, 0};
  uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0], p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return static_cast<float>(c[index % 4] >> 8) * 0x1p-23f - 1.0f;
}

TEST(UniformNoise, StartsWithThePublishedWordsOfPhilox) {
  const std::array<uint32_t, 4> published = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};  // counter 0, key 0
  const std::vector<float> noise = Noise(0, 0, 4);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(noise[i], static_cast<float>(published[i] >> 8) * 0x1p-23f - 1.0f);
}

TEST(UniformNoise, EqualsTheScalarGeneratorAtEveryIndex) {
  ForEachTarget([] {
    for (const int64_t first : {int64_t{0}, int64_t{1}, int64_t{4 * 7 + 3}, (int64_t{1} << 34) - 5, int64_t{1} << 45}) {
      const std::vector<float> noise = Noise(0x123456789abcdef0, first, 101);
      for (int i = 0; i < 101; ++i)
        ASSERT_EQ(noise[i], PhiloxSample(0x123456789abcdef0, first + i)) << first << " + " << i;
    }
  });
}

TEST(UniformNoise, SplittingTheRangeChangesNothing) {
  const std::vector<float> whole = Noise(7, 5, 2000);
  for (const int64_t size : {1, 3, 16, 63, 64, 65, 319, 320, 321}) {
    for (int64_t first = 0; first + size <= 2000; first += size) {
      const std::vector<float> part = Noise(7, 5 + first, size);
      for (int64_t i = 0; i < size; ++i) ASSERT_EQ(part[i], whole[first + i]);
    }
  }
}

TEST(UniformNoise, IsUniformAndUncorrelated) {
  constexpr int kSize = 1 << 20;
  const std::vector<float> noise = Noise(3, 0, kSize);
  EXPECT_THAT(noise, Each(testing::AllOf(testing::Ge(-1.0f), testing::Lt(1.0f))));
  std::array<int, 64> histogram{};
  double mean = 0, square = 0, fourth = 0;
  for (const float x : noise) {
    mean += x / kSize;
    square += static_cast<double>(x) * x / kSize;
    fourth += std::pow(x, 4) / kSize;
    ++histogram[static_cast<int>((x + 1) * 32)];
  }
  const double sigma = 1 / std::sqrt(3.0 * kSize);  // of the mean; every bound below is 5 sigma
  EXPECT_NEAR(mean, 0, 5 * sigma);
  EXPECT_NEAR(square, 1.0 / 3, 5 * std::sqrt((1.0 / 5 - 1.0 / 9) / kSize));
  EXPECT_NEAR(fourth, 1.0 / 5, 5 * std::sqrt((1.0 / 9 - 1.0 / 25) / kSize));
  for (const int count : histogram) EXPECT_NEAR(count, kSize / 64, 5 * std::sqrt(kSize / 64.0));
  for (const int lag : {1, 2, 3, 4, 5, 8, 16, 64, 320, 16000}) {
    double product = 0;
    for (int i = 0; i + lag < kSize; ++i) product += static_cast<double>(noise[i]) * noise[i + lag];
    EXPECT_NEAR(product / kSize, 0, 5.0 / 3 / std::sqrt(kSize)) << "lag " << lag;
  }
}

TEST(UniformNoise, HasAFlatSpectrum) {
  // Mean power of 16 bins over 512 frames of 64 samples; the power of a bin has a standard deviation of its mean.
  constexpr int kFrames = 512, kFrame = 64;
  const std::vector<float> noise = Noise(11, 0, kFrames * kFrame);
  for (int bin = 1; bin < 32; bin += 2) {
    double power = 0;
    for (int t = 0; t < kFrames; ++t) {
      double re = 0, im = 0;
      for (int n = 0; n < kFrame; ++n) {
        re += noise[t * kFrame + n] * std::cos(2 * std::numbers::pi * bin * n / kFrame);
        im += noise[t * kFrame + n] * std::sin(2 * std::numbers::pi * bin * n / kFrame);
      }
      power += (re * re + im * im) / kFrames;
    }
    EXPECT_NEAR(power / (kFrame / 3.0), 1, 5 / std::sqrt(kFrames)) << "bin " << bin;
  }
}

TEST(UniformNoise, SeedsAreIndependent) {
  constexpr int kSize = 1 << 18;
  const std::vector<float> noise = Noise(0, 0, kSize);
  for (const uint64_t seed : {uint64_t{1}, uint64_t{2}, uint64_t{1} << 32, ~uint64_t{0}}) {
    const std::vector<float> other = Noise(seed, 0, kSize);
    for (const int lag : {0, 1, 4, 64}) {
      double product = 0;
      for (int i = 0; i + lag < kSize; ++i) product += static_cast<double>(noise[i]) * other[i + lag];
      EXPECT_NEAR(product / kSize, 0, 5.0 / 3 / std::sqrt(kSize)) << seed << " lag " << lag;
    }
  }
}

}  // namespace
}  // namespace ddsp::kernels
