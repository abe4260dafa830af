#include "core/dsp/oscillator.h"

#include <cmath>

#include "core/dsp/argument.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

using at::Tensor;

HarmonicControls Note(double f0, int64_t frames, int64_t harmonics) {
  HarmonicControls controls;
  controls.frequencies = at::full({1, frames, 1}, f0);
  controls.amplitudes = at::ones({1, frames, 1});
  controls.harmonic_distribution = at::full({1, frames, harmonics}, 1.0 / static_cast<double>(harmonics));
  return controls;
}

TEST(OscillatorBank, StartsOneStepIntoThePhase) {
  const Tensor audio = OscillatorBank(at::full({1, 100, 1}, 440.0), at::ones({1, 100, 1}));
  for (int n = 0; n < 100; ++n)
    EXPECT_NEAR(audio[0][n].item<double>(), std::sin(2 * M_PI * 440 * (n + 1) / 16000.0), 1e-6);
}

TEST(OscillatorBank, IsSilentAtAndAboveNyquist) {
  for (const double f : {8000.0, 12000.0, 16000.0}) {
    EXPECT_EQ(OscillatorBank(at::full({1, 100, 1}, f), at::ones({1, 100, 1})).abs().max().item<float>(), 0);
  }
}

// Half a minute: float32 accumulation is off by far more than this.
TEST(HarmonicSynthesis, ExactPhaseStaysInTune) {
  constexpr int64_t kFrames = 1500, kSamples = kFrames * 320;
  HarmonicSynthesisOptions options;
  options.n_samples = kSamples;
  options.amp_resample_method = Interpolation::kLinear;
  HarmonicControls controls = Note(440.1, kFrames, 18);
  controls.harmonic_distribution.zero_().select(2, 17).fill_(1);  // the 18th harmonic alone
  const Tensor audio = HarmonicSynthesis(controls, options);
  const double f0 = controls.frequencies[0][0][0].item<double>();
  for (int64_t n = kSamples - 50; n < kSamples; ++n) {
    EXPECT_NEAR(audio[0][n].item<double>(),
                std::sin(2 * M_PI * std::fmod(18 * f0 * static_cast<double>(n + 1) / 16000.0, 1.0)), 1e-4);
  }
}

TEST(HarmonicSynthesis, SharedPhaseEqualsIndependentPhases) {
  HarmonicControls controls = Note(200, 10, 6);
  controls.frequencies = 200 + 50 * at::rand({1, 10, 1});
  HarmonicSynthesisOptions options;
  options.n_samples = 640;
  const Tensor shared = HarmonicSynthesis(controls, options);
  controls.harmonic_shifts = at::zeros({1, 10, 6});
  EXPECT_TRUE(at::allclose(shared, HarmonicSynthesis(controls, options), 1e-4, 1e-5));
}

TEST(HarmonicOscillatorBank, CallsThatCarryThePhaseEqualOneCall) {
  const Tensor f = 300 + 100 * at::rand({2, 400, 1}), a = at::rand({2, 400, 5});
  const ContinuedAudio whole = HarmonicOscillatorBank(f, a);
  const ContinuedAudio first = HarmonicOscillatorBank(f.narrow(1, 0, 150), a.narrow(1, 0, 150));
  const ContinuedAudio second = HarmonicOscillatorBank(f.narrow(1, 150, 250), a.narrow(1, 150, 250), first.final_phase);
  EXPECT_TRUE(at::allclose(whole.audio, at::cat({first.audio, second.audio}, 1), 0, 1e-5));
  EXPECT_GE(second.final_phase.min().item<float>(), 0);
  EXPECT_LT(second.final_phase.max().item<double>(), 2 * M_PI);
}

TEST(NormalizeHarmonics, SumsToOneBelowNyquist) {
  const Tensor normalized = NormalizeHarmonics(at::rand({2, 3, 10}) + 0.1, at::full({2, 3, 1}, 1000.0), 16000);
  EXPECT_TRUE(at::allclose(normalized.sum(-1), at::ones({2, 3})));
  EXPECT_EQ(normalized.narrow(2, 7, 3).abs().max().item<float>(), 0);  // 8, 9, 10 kHz
}

TEST(AngularCumsum, AgreesWithDoubleModuloTwoPi) {
  const Tensor omega = 0.3 * at::rand({1, 2500, 1});
  const Tensor exact = at::remainder(at::cumsum(omega.to(at::kDouble), 1), 2 * M_PI);
  const Tensor distance = at::remainder(AngularCumsum(omega).to(at::kDouble) - exact + M_PI, 2 * M_PI) - M_PI;
  EXPECT_LT(distance.abs().max().item<double>(), 1e-3);
}

}  // namespace
}  // namespace ddsp
