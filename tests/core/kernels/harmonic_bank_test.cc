#include "core/kernels/harmonic_bank.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

using testing::Each;

constexpr double kTau = 2 * std::numbers::pi;
constexpr double kError = 1e-5;  // of the sum of amplitudes: the declared bound

struct Controls {
  int64_t frames;
  std::vector<float> f0_hz, amplitudes;
};

Controls RandomControls(const HarmonicBank::Options& options, int64_t frames, float low_hz, float high_hz) {
  return {frames, RandomValues(frames, low_hz, high_hz), RandomValues(frames * options.harmonics, 0, 1, 2)};
}

double Ramp(const HarmonicBank::Options& options, int m) {
  const double linear = static_cast<double>(m) / options.hop;
  return options.ramp == AmplitudeRamp::kLinear ? linear : (1 - std::cos(std::numbers::pi * linear)) / 2;
}

// Calls visit(n, t, next, r, k, sine) for every audible harmonic k of every sample n, sample by sample in double.
template <class Visit>
void ForEachPartial(const HarmonicBank::Options& options, const Controls& controls, Visit visit) {
  double phase = 0;
  for (int64_t t = 0; t < controls.frames; ++t) {
    const int64_t next = std::min(t + 1, controls.frames - 1);
    for (int m = 0; m < options.hop; ++m) {
      const double from = controls.f0_hz[t], f0 = from + (controls.f0_hz[next] - from) * m / options.hop;
      phase += f0 / options.sample_rate_hz;
      for (int k = 0; k < options.harmonics && (k + 1) * f0 < options.sample_rate_hz / 2; ++k) {
        visit(t * options.hop + m, t, next, Ramp(options, m), k, std::sin(kTau * (k + 1) * phase));
      }
    }
  }
}

std::vector<float> Render(const HarmonicBank& bank, const Controls& controls) {
  std::vector<float> audio(controls.frames * bank.options().hop);
  double phase = 0;
  bank.Render(controls.f0_hz.data(), controls.amplitudes.data(), controls.frames, phase, audio.data());
  return audio;
}

// The largest error of a sample, as a share of the largest sum of amplitudes.
double RenderError(const HarmonicBank::Options& options, const Controls& controls) {
  std::vector<double> expected(controls.frames * options.hop);
  ForEachPartial(options, controls, [&](int64_t n, int64_t t, int64_t next, double r, int k, double sine) {
    const int64_t harmonics = options.harmonics;
    expected[n] +=
        ((1 - r) * controls.amplitudes[t * harmonics + k] + r * controls.amplitudes[next * harmonics + k]) * sine;
  });
  const std::vector<float> audio = Render(HarmonicBank(options), controls);
  double worst = 0, sum = 0;
  for (size_t n = 0; n < audio.size(); ++n) worst = std::max(worst, std::abs(audio[n] - expected[n]));
  for (int64_t t = 0; t < controls.frames; ++t) {
    const auto row = controls.amplitudes.begin() + t * options.harmonics;
    double total = 0;
    for (int k = 0; k < options.harmonics; ++k) total += row[k];
    sum = std::max(sum, total);
  }
  return worst / sum;
}

TEST(HarmonicBank, EqualsTheSumOfSinesInDouble) {
  ForEachTarget([] {
    for (const int harmonics : {1, 2, 3, 60, 100, 128}) {
      for (const int hop : {1, 15, 16, 17, 64, 67, 320}) {
        for (const AmplitudeRamp ramp : {AmplitudeRamp::kLinear, AmplitudeRamp::kHann}) {
          const HarmonicBank::Options options{.hop = hop, .harmonics = harmonics, .ramp = ramp};
          EXPECT_LE(RenderError(options, RandomControls(options, 9, 50, 70)), kError) << harmonics << ", hop " << hop;
        }
      }
    }
  });
}

// All the amplitude in one harmonic is the worst distribution for an error that grows along the recurrence.
TEST(HarmonicBank, EachHarmonicAloneIsAccurate) {
  ForEachTarget([] {
    const HarmonicBank::Options options{.hop = 320, .harmonics = 128};
    for (const int k : {0, 1, 31, 63, 99, 126, 127}) {
      Controls controls = RandomControls(options, 20, 30, 62);
      for (int64_t t = 0; t < controls.frames; ++t) {
        for (int i = 0; i < 128; ++i) controls.amplitudes[t * 128 + i] = i == k ? 1 : 0;
      }
      EXPECT_LE(RenderError(options, controls), kError) << "harmonic " << k + 1;
    }
  });
}

TEST(HarmonicBank, SilencesHarmonicsAboveNyquistSampleBySample) {
  ForEachTarget([] {
    // Glides over the whole range, so that every harmonic leaves and returns in mid-hop.
    for (const int hop : {64, 67, 320}) {
      const HarmonicBank::Options options{.hop = hop, .harmonics = 60};
      EXPECT_LE(RenderError(options, RandomControls(options, 30, 40, 4000)), kError) << "hop " << hop;
    }
    // A harmonic exactly at Nyquist is silent, as upstream has it.
    const HarmonicBank::Options options{.hop = 64, .harmonics = 2};
    Controls controls{4, std::vector<float>(4, 4000), std::vector<float>(8, 0)};
    for (int t = 0; t < 4; ++t) controls.amplitudes[2 * t + 1] = 1;
    EXPECT_THAT(Render(HarmonicBank(options), controls), Each(0.0f));
  });
}

TEST(HarmonicBank, HopsInTurnEqualTheWholeSignal) {
  const HarmonicBank::Options options{.hop = 67, .harmonics = 60};
  const HarmonicBank bank(options);
  const Controls controls = RandomControls(options, 25, 60, 400);
  const std::vector<float> whole = Render(bank, controls);
  std::vector<float> hop(options.hop);
  double phase = 0;
  const auto frame = [&](int64_t t) {
    return HarmonicFrame{controls.f0_hz[t], controls.amplitudes.data() + t * options.harmonics};
  };
  for (int64_t t = 0; t < controls.frames; ++t) {
    bank.Hop(frame(t), frame(std::min(t + 1, controls.frames - 1)), phase, hop.data());
    for (int m = 0; m < options.hop; ++m) ASSERT_EQ(hop[m], whole[t * options.hop + m]);
  }
}

TEST(HarmonicBank, StaysInTuneForAnHour) {
  constexpr float kHz = 441.3f;
  const HarmonicBank bank({.hop = 320, .harmonics = 1});
  const float amplitude = 1;
  std::vector<float> hop(320);
  double phase = 0;
  constexpr int64_t kHops = 3600 * 50;
  for (int64_t t = 0; t < kHops; ++t) bank.Hop({kHz, &amplitude}, {kHz, &amplitude}, phase, hop.data());
  const double cycles = static_cast<double>(kHz) * 3600;
  const double error = phase - (cycles - std::floor(cycles));
  EXPECT_LE(kTau * std::abs(error - std::round(error)), 1e-6);
}

TEST(HarmonicBank, SilenceAtZeroHertz) {
  const HarmonicBank bank({.hop = 320, .harmonics = 60});
  const std::vector<float> amplitudes(60, 1), f0_hz(3, 0);
  EXPECT_THAT(Render(bank, {3, f0_hz, std::vector<float>(180, 1)}), Each(0.0f));
}

TEST(HarmonicBank, SoundsAgainAfterAPitchThatIsNotANumber) {
  const HarmonicBank bank({.hop = 64, .harmonics = 3});
  const std::vector<float> amplitudes(3, 1);
  std::vector<float> audio(64);
  double phase = 0;
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    bank.Hop({bad, amplitudes.data()}, {100, amplitudes.data()}, phase, audio.data());
    bank.Hop({100, amplitudes.data()}, {100, amplitudes.data()}, phase, audio.data());
    for (const float sample : audio) ASSERT_TRUE(std::isfinite(sample));
  }
}

std::vector<double> GradientInDouble(const HarmonicBank::Options& options, const Controls& controls,
                                     const std::vector<float>& d_audio) {
  std::vector<double> gradient(controls.amplitudes.size());
  ForEachPartial(options, controls, [&](int64_t n, int64_t t, int64_t next, double r, int k, double sine) {
    gradient[t * options.harmonics + k] += (1 - r) * sine * d_audio[n];
    gradient[next * options.harmonics + k] += r * sine * d_audio[n];
  });
  return gradient;
}

TEST(HarmonicBank, BackwardIsTheAdjoint) {
  ForEachTarget([] {
    for (const int hop : {1, 64, 67, 320}) {
      for (const AmplitudeRamp ramp : {AmplitudeRamp::kLinear, AmplitudeRamp::kHann}) {
        const HarmonicBank::Options options{.hop = hop, .harmonics = 61, .ramp = ramp};
        const Controls controls = RandomControls(options, 12, 60, 600);
        const std::vector<float> d_audio = RandomValues(controls.frames * hop, -1, 1, 3);
        const std::vector<double> expected = GradientInDouble(options, controls, d_audio);
        std::vector<float> gradient(expected.size(), 1e9f);
        HarmonicBank(options).Backward(controls.f0_hz.data(), d_audio.data(), controls.frames, gradient.data());
        double worst = 0;
        for (size_t i = 0; i < expected.size(); ++i) worst = std::max(worst, std::abs(gradient[i] - expected[i]));
        EXPECT_LE(worst, kError * 2 * hop) << "hop " << hop;
      }
    }
  });
}

}  // namespace
}  // namespace ddsp::kernels
