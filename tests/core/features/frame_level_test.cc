#include "core/features/frame_level.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <memory>
#include <numbers>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "core/base/safetensors.h"
#include "core/features/loudness_meter.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

std::vector<float> Noise(int size, float level) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(-level, level);
  std::vector<float> result(size);
  for (float& x : result) x = uniform(random);
  return result;
}

// The definition, in double, one bin at a time.
double SlowLoudnessDb(std::span<const float> frame, double sample_rate) {
  const int n = static_cast<int>(frame.size());
  double sum = 0.0;
  for (int k = 0; k <= n / 2; ++k) {
    std::complex<double> bin = 0.0;
    for (int i = 0; i < n; ++i) {
      const double hann = 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * i / n);
      bin += hann * frame[i] * std::polar(1.0, -2.0 * std::numbers::pi * i * k / n);
    }
    const double f2 = std::pow(k * sample_rate / n, 2);
    const double gain = std::pow(12194.217, 2) * f2 * f2 /
                        ((f2 + std::pow(20.598997, 2)) * (f2 + std::pow(12194.217, 2)) *
                         std::sqrt((f2 + std::pow(107.65265, 2)) * (f2 + std::pow(737.86223, 2))));
    const double weight_db = k == 0 ? -80.0 : std::max(-80.0, 2.0 + 20.0 * std::log10(gain));
    sum += std::norm(bin) * std::pow(10.0, weight_db / 10.0);
  }
  return 10.0 * std::log10(std::max(1e-8, sum / (n / 2 + 1)));
}

TEST(LoudnessMeter, EqualsTheDefinition) {
  for (int size : {64, 256, 512, 1024}) {
    for (float level : {1.0f, 1e-2f, 1e-5f}) {
      const std::vector<float> frame = Noise(size, level);
      EXPECT_NEAR(LoudnessMeter(16000, size).LoudnessDb(frame), SlowLoudnessDb(frame, 16000), 1e-4) << size;
    }
  }
}

TEST(LoudnessMeter, WeighsTonesAsUpstreamDoes) {
  const LoudnessMeter meter(16000, 512);
  const auto tone = [&](double hz) {
    std::vector<float> frame(512);
    for (int i = 0; i < 512; ++i) frame[i] = static_cast<float>(std::sin(2.0 * std::numbers::pi * hz * i / 16000));
    return meter.LoudnessDb(frame);
  };
  EXPECT_NEAR(tone(100), 1.04, 0.05);
  EXPECT_NEAR(tone(1000), 19.81, 0.05);
  EXPECT_NEAR(tone(3000), 21.03, 0.05);
  EXPECT_EQ(meter.LoudnessDb(std::vector<float>(512)), -80.0f);
}

TEST(FramePower, IsTheMeanSquareWithAFloor) {
  EXPECT_NEAR(FramePowerDb(std::vector<float>(100, 0.1f)), -20.0, 1e-5);
  EXPECT_EQ(FramePowerDb(std::vector<float>(100)), -80.0f);
}

// Centred frames as upstream cuts them, one meter call each.
template <typename Meter>
void CheckGolden(const Safetensors& golden, const std::string& name, int frame_size, int hop, const Meter& meter) {
  const std::vector<float> audio = *golden.GetFloats(name + "/in/audio");
  const std::vector<float> expected = *golden.GetFloats(name + "/out/out");
  const size_t batch = golden.Get(name + "/in/audio")->shape.size() == 1 ? 1 : golden.Get(name + "/in/audio")->shape[0];
  const size_t samples = audio.size() / batch, frames = expected.size() / batch;
  ASSERT_EQ(frames, samples / hop + 1) << name;
  for (size_t b = 0; b < batch; ++b) {
    std::vector<float> padded(samples + 2 * frame_size);
    std::copy_n(audio.begin() + b * samples, samples, padded.begin() + frame_size / 2);
    for (size_t t = 0; t < frames; ++t) {
      const float actual = meter(std::span<const float>(padded).subspan(t * hop, frame_size));
      const float y = expected[b * frames + t];
      EXPECT_NEAR(actual, y, 2e-7 + 1e-5 * std::abs(y)) << name << " frame " << t;
    }
  }
}

TEST(Golden, PowerAndLoudnessOfCentredFrames) {
  const auto golden = Safetensors::Read(std::string(DDSP_TESTDATA) + "/golden/spectral_ops.safetensors");
  ASSERT_TRUE(golden.ok()) << golden.status();
  CheckGolden(*golden, "compute_power_center", 256, 64, FramePowerDb);
  CheckGolden(*golden, "compute_power_1d", 1024, 320, FramePowerDb);
  const auto loudness = [](int size) {
    return [meter = std::make_shared<LoudnessMeter>(16000, size)](std::span<const float> frame) {
      return meter->LoudnessDb(frame);
    };
  };
  CheckGolden(*golden, "compute_loudness_center", 256, 64, loudness(256));
  CheckGolden(*golden, "compute_loudness_default", 512, 64, loudness(512));
  CheckGolden(*golden, "compute_loudness_loud", 512, 64, loudness(512));
  CheckGolden(*golden, "compute_loudness_1d", 1024, 64, loudness(1024));
}

}  // namespace
}  // namespace ddsp
