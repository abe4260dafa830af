#include "core/kernels/noise_filter.h"

#include <cmath>
#include <numbers>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

// Upstream's frequency_impulse_response with window_size 0, in its own order: inverse FFT, window, rotation by half.
std::vector<double> ImpulseResponseInDouble(const float* magnitudes, int bands) {
  const int size = 2 * (bands - 1);
  std::vector<double> taps(size);
  for (int i = 0; i < size; ++i) {
    const int n = (i + size / 2) % size;
    double sum = 0;
    for (int k = 0; k < size; ++k)
      sum += magnitudes[k < bands ? k : size - k] * std::cos(2 * std::numbers::pi * k * n / size);
    taps[i] = sum / size * (0.5 - 0.5 * std::cos(2 * std::numbers::pi * i / size));
  }
  return taps;
}

// Upstream's fft_convolve: each frame of noise with its own filter, overlap-added, cut to the noise's place.
std::vector<double> FilterInDouble(const std::vector<float>& magnitudes, const std::vector<float>& noise, int bands,
                                   int hop) {
  const int taps = 2 * (bands - 1);
  std::vector<double> stream(noise.size() + taps);
  for (size_t t = 0; t < noise.size() / hop; ++t) {
    const std::vector<double> filter = ImpulseResponseInDouble(magnitudes.data() + t * bands, bands);
    for (int n = 0; n < hop; ++n) {
      for (int i = 0; i < taps; ++i) stream[t * hop + n + i] += noise[t * hop + n] * filter[i];
    }
  }
  const int start = (taps - 1) / 2 - 1;
  return {stream.begin() + start, stream.begin() + start + noise.size()};
}

TEST(NoiseFilter, EqualsTheConvolutionOfEachFrame) {
  ForEachTarget([] {
    struct Size {
      int bands, hop;
    };
    for (const auto [bands, hop] :
         {Size{65, 320}, Size{65, 64}, Size{98, 960}, Size{3, 1}, Size{17, 67}, Size{22, 31}}) {
      const int frames = 7;
      const NoiseFilter filter(bands, hop);
      const std::vector<float> magnitudes = RandomValues((frames + 1) * bands, 0, 1);
      std::vector<float> noise = RandomValues(frames * hop, -1, 1, 2);
      const std::vector<double> expected = FilterInDouble(magnitudes, noise, bands, hop);
      noise.resize((frames + 1) * hop, 0);  // one more step brings out the last hop
      std::vector<float> state(filter.state_size(), 0), scratch(filter.scratch_size(), NAN), out(hop);
      for (int t = 0; t <= frames; ++t) {
        filter.Step(magnitudes.data() + t * bands, noise.data() + t * hop, state.data(), out.data(), scratch.data());
        for (int n = 0; t > 0 && n < hop; ++n) {
          ASSERT_NEAR(out[n], expected[(t - 1) * hop + n], 1e-6 * bands) << bands << " bands, hop " << t << " + " << n;
        }
      }
    }
  });
}

TEST(NoiseFilter, CompensatesTheDelayThatUpstreamDoes) {
  const NoiseFilter filter(65, 320);
  EXPECT_EQ(filter.taps(), 128);
  EXPECT_EQ(filter.delay(), 62);
  EXPECT_EQ(filter.state_size(), 385);
}

TEST(NoiseFilter, AFlatFilterPassesTheNoiseTwoSamplesLate) {
  const int hop = 320;
  const NoiseFilter filter(65, hop);
  const std::vector<float> magnitudes(65, 1), noise = RandomValues(3 * hop, -1, 1);
  std::vector<float> state(filter.state_size(), 0), scratch(filter.scratch_size()), out(hop);
  for (int t = 0; t < 3; ++t)
    filter.Step(magnitudes.data(), noise.data() + t * hop, state.data(), out.data(), scratch.data());
  for (int n = 0; n < hop; ++n) EXPECT_NEAR(out[n], noise[hop + n - 2], 1e-6);
}

}  // namespace
}  // namespace ddsp::kernels
