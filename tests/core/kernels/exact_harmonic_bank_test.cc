#include "core/kernels/exact_harmonic_bank.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/kernels/each_target.h"
#include "tests/core/kernels/random_values.h"

namespace ddsp::kernels {
namespace {

// Pitches whose upper harmonics cross Nyquist; a hop of no whole group of samples.
struct Signal {
  HarmonicBank::Options options = {.sample_rate_hz = 16000, .hop = 37, .harmonics = 30, .ramp = AmplitudeRamp::kHann};
  int64_t frames = 9;
  std::vector<float> f0_hz = RandomValues(frames, 100, 900, 1);
  std::vector<float> amplitudes = RandomValues(frames * options.harmonics, 0, 1.0f / options.harmonics, 2);
  std::vector<float> d_audio = RandomValues(frames * options.hop, -1, 1, 3);
};

TEST(ExactHarmonicBank, EqualsTheFastBankAndItsGradient) {
  ForEachTarget([] {
    const Signal signal;
    const HarmonicBank fast(signal.options);
    const ExactHarmonicBank<float> exact(signal.options);
    std::vector<float> a(signal.d_audio.size()), b(a.size()), da(signal.amplitudes.size()), db(da.size());
    double phase = 0;
    fast.Render(signal.f0_hz.data(), signal.amplitudes.data(), signal.frames, phase, a.data());
    exact.Render(signal.f0_hz.data(), signal.amplitudes.data(), signal.frames, b.data());
    fast.Backward(signal.f0_hz.data(), signal.d_audio.data(), signal.frames, da.data());
    exact.AmplitudeGradient(signal.f0_hz.data(), signal.d_audio.data(), signal.frames, db.data());
    for (size_t n = 0; n < a.size(); ++n) ASSERT_NEAR(a[n], b[n], 1e-5) << n;
    for (size_t i = 0; i < da.size(); ++i) ASSERT_NEAR(da[i], db[i], 1e-5 * 2 * signal.options.hop) << i;
  });
}

TEST(ExactHarmonicBank, TheGradientOfThePitchIsThatOfDifferences) {
  ForEachTarget([] {
    Signal signal;
    signal.options.harmonics = 6;  // none crosses Nyquist, where there is a step
    const ExactHarmonicBank<double> bank(signal.options);
    const std::vector<double> a(signal.amplitudes.begin(), signal.amplitudes.begin() + signal.frames * 6);
    const std::vector<double> d(signal.d_audio.begin(), signal.d_audio.end());
    std::vector<double> f0(signal.f0_hz.begin(), signal.f0_hz.end()), gradient(f0.size()), audio(d.size());
    bank.PitchGradient(f0.data(), a.data(), d.data(), signal.frames, gradient.data());
    const auto loss = [&] {
      bank.Render(f0.data(), a.data(), signal.frames, audio.data());
      double sum = 0;
      for (size_t n = 0; n < d.size(); ++n) sum += d[n] * audio[n];
      return sum;
    };
    for (int64_t t = 0; t < signal.frames; ++t) {
      const double hz = f0[t], step = 1e-4;
      f0[t] = hz + step;
      const double above = loss();
      f0[t] = hz - step;
      const double numeric = (above - loss()) / (2 * step);
      f0[t] = hz;
      EXPECT_NEAR(gradient[t], numeric, 1e-6 * std::max(1.0, std::abs(numeric))) << t;
    }
  });
}

}  // namespace
}  // namespace ddsp::kernels
