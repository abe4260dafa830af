// The kernels against results of upstream's float32 code; tolerances are those stored with the results.
#include <cmath>
#include <string>
#include <vector>

#include "core/base/safetensors.h"
#include "core/kernels/activations.h"
#include "core/kernels/harmonic_bank.h"
#include "core/kernels/noise_filter.h"
#include "gtest/gtest.h"

namespace ddsp::kernels {
namespace {

class Upstream : public testing::Test {
 protected:
  std::vector<float> Values(const std::string& name) const { return *file_.GetFloats(name); }

  void ExpectNear(const std::vector<float>& actual, const std::string& name, double atol) const {
    const std::vector<float> expected = Values(name);
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i) {
      ASSERT_NEAR(actual[i], expected[i], atol + 1e-5 * std::abs(expected[i])) << name << " at " << i;
    }
  }

  // Inputs of a case of core.harmonic_synthesis, rows one after the other.
  struct Synthesis {
    int64_t rows, frames;
    std::vector<float> f0_hz, amplitude, distribution, amplitudes;
    HarmonicBank bank;
    int64_t samples() const { return frames * bank.options().hop; }
  };

  Synthesis ReadSynthesis(const std::string& name, int64_t rows, int harmonics, AmplitudeRamp ramp) const {
    const std::vector<float> f0_hz = Values(name + "/in/frequencies"), amplitude = Values(name + "/in/amplitudes"),
                             distribution = Values(name + "/in/harmonic_distribution");
    std::vector<float> amplitudes(distribution.size());
    for (size_t i = 0; i < amplitudes.size(); ++i) amplitudes[i] = distribution[i] * amplitude[i / harmonics];
    const int64_t samples = static_cast<int64_t>(Values(name + "/out/out").size());
    const HarmonicBank bank({.hop = static_cast<int>(samples / f0_hz.size()), .harmonics = harmonics, .ramp = ramp});
    return {rows, static_cast<int64_t>(f0_hz.size()) / rows, f0_hz, amplitude, distribution, amplitudes, bank};
  }

  void ExpectAudio(const std::string& name, int64_t rows, int harmonics, AmplitudeRamp ramp, double atol) const {
    const Synthesis s = ReadSynthesis(name, rows, harmonics, ramp);
    std::vector<float> audio(rows * s.samples());
    for (int64_t row = 0; row < rows; ++row) {
      double phase = 0;
      s.bank.Render(s.f0_hz.data() + row * s.frames, s.amplitudes.data() + row * s.frames * harmonics, s.frames, phase,
                    audio.data() + row * s.samples());
    }
    ExpectNear(audio, name + "/out/out", atol);
  }

  const Safetensors file_ = *Safetensors::Read(std::string(DDSP_TESTDATA) + "/golden/core.safetensors");
};

TEST_F(Upstream, HarmonicSynthesis) {
  ExpectAudio("harmonic_synthesis", 2, 6, AmplitudeRamp::kHann, 2e-3);
  ExpectAudio("harmonic_synthesis_linear", 2, 6, AmplitudeRamp::kLinear, 5e-4);
  ExpectAudio("harmonic_synthesis_angular", 1, 5, AmplitudeRamp::kHann, 1e-3);
  ExpectAudio("harmonic_synthesis_nyquist", 1, 5, AmplitudeRamp::kHann, 1e-3);
}

TEST_F(Upstream, HarmonicSynthesisGradient) {
  const int harmonics = 6;
  const Synthesis s = ReadSynthesis("harmonic_synthesis", 2, harmonics, AmplitudeRamp::kHann);
  const std::vector<float> d_audio = Values("harmonic_synthesis/cotangent/out");
  std::vector<float> gradient(s.amplitudes.size()), d_amplitude(s.amplitude.size(), 0.0f),
      d_distribution(gradient.size());
  for (int64_t row = 0; row < s.rows; ++row) {
    s.bank.Backward(s.f0_hz.data() + row * s.frames, d_audio.data() + row * s.samples(), s.frames,
                    gradient.data() + row * s.frames * harmonics);
  }
  for (size_t i = 0; i < gradient.size(); ++i) {
    d_amplitude[i / harmonics] += gradient[i] * s.distribution[i];
    d_distribution[i] = gradient[i] * s.amplitude[i / harmonics];
  }
  ExpectNear(d_amplitude, "harmonic_synthesis/grad/amplitudes", 2e-3);
  ExpectNear(d_distribution, "harmonic_synthesis/grad/harmonic_distribution", 5e-3);
}

TEST_F(Upstream, FrequencyFilter) {
  const int frames = 2, hop = 90, bands = 65;
  std::vector<float> magnitudes = Values("frequency_filter_65_0/in/magnitudes");
  std::vector<float> noise = Values("frequency_filter_65_0/in/audio");
  magnitudes.resize((frames + 1) * bands, 0.0f);
  noise.resize((frames + 1) * hop, 0.0f);
  const NoiseFilter filter(bands, hop);
  std::vector<float> state(filter.state_size(), 0), scratch(filter.scratch_size()), audio((frames + 1) * hop);
  for (int t = 0; t <= frames; ++t) {
    filter.Step(magnitudes.data() + t * bands, noise.data() + t * hop, state.data(), audio.data() + t * hop,
                scratch.data());
  }
  ExpectNear({audio.begin() + hop, audio.end()}, "frequency_filter_65_0/out/out", 2e-7);
}

TEST_F(Upstream, ExpSigmoid) {
  std::vector<float> x = Values("exp_sigmoid/in/x");
  ExpSigmoid(x.data(), x.size(), x.data());
  ExpectNear(x, "exp_sigmoid/out/out", 2e-8);
}

}  // namespace
}  // namespace ddsp::kernels
