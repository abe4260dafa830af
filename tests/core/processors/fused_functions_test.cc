// Operations that are one node of the autograd graph, against the same mathematics in many, and against differences.
#include "core/dsp/filter_design.h"
#include "core/dsp/wavetable.h"
#include "core/processors/frame_convolution_function.h"
#include "core/processors/harmonic_bank_function.h"
#include "gtest/gtest.h"
#include "tests/support/gradient_check.h"

namespace ddsp {
namespace {

using at::Tensor;

// Value and gradients of f at the inputs, weighted at random.
std::vector<Tensor> ValueAndGradients(const TensorFunction& f, std::vector<Tensor> inputs) {
  for (Tensor& input : inputs) input = input.detach().clone().requires_grad_(true);
  const Tensor value = f(inputs);
  at::manual_seed(9);
  (value * at::randn(value.sizes(), value.options().requires_grad(false))).sum().backward();
  std::vector<Tensor> all = {value.detach()};
  for (const Tensor& input : inputs) all.push_back(input.grad());
  return all;
}

void ExpectClose(const std::vector<Tensor>& expected, const std::vector<Tensor>& actual, double tolerance) {
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(expected[i].sizes(), actual[i].sizes());
    EXPECT_LE((expected[i] - actual[i]).abs().max().item<double>(), tolerance * expected[i].abs().max().item<double>())
        << i;
  }
}

HarmonicControls HarmonicOf(const std::vector<Tensor>& x) {
  HarmonicControls controls;
  controls.frequencies = x[0];
  controls.amplitudes = x[1];
  controls.harmonic_distribution = x[2];
  return controls;
}

// Pitches whose upper harmonics are above Nyquist in some frames.
std::vector<Tensor> HarmonicInputs(int64_t batch, int64_t frames, int64_t harmonics, at::ScalarType type) {
  return {100 + 900 * at::rand({batch, frames, 1}, type), at::rand({batch, frames, 1}, type),
          at::rand({batch, frames, harmonics}, type)};
}

class FusedHarmonics : public testing::TestWithParam<Interpolation> {
 protected:
  void SetUp() override { at::manual_seed(1); }
  HarmonicSynthesisOptions Options(int64_t n_samples) const {
    return {n_samples, 16000, GetParam(), PhaseAccumulation::kExact};
  }
};

TEST_P(FusedHarmonics, EqualThePlainFormForwardAndBackward) {
  const HarmonicSynthesisOptions options = Options(11 * 64);
  const auto plain = [&](const std::vector<Tensor>& x) { return HarmonicSynthesis(HarmonicOf(x), options); };
  const auto fused = [&](const std::vector<Tensor>& x) { return FusedHarmonicSynthesis(HarmonicOf(x), options); };
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const std::vector<Tensor> inputs = HarmonicInputs(3, 11, 20, type);
    ASSERT_TRUE(CanFuseHarmonicSynthesis(HarmonicOf(inputs), options));
    ExpectClose(ValueAndGradients(plain, inputs), ValueAndGradients(fused, inputs), type == at::kFloat ? 1e-4 : 1e-9);
  }
}

TEST_P(FusedHarmonics, HaveTheGradientsOfDifferences) {
  const HarmonicSynthesisOptions options = Options(5 * 24);
  std::vector<Tensor> inputs = HarmonicInputs(2, 5, 6, at::kDouble);
  inputs[0] = 150 + 500 * at::rand({2, 5, 1}, at::kDouble);  // nothing crosses Nyquist, where there is a step
  const auto fused = [&](const std::vector<Tensor>& x) { return FusedHarmonicSynthesis(HarmonicOf(x), options); };
  EXPECT_LE(GradientError(fused, inputs, 1e-5), 1e-7);
}

INSTANTIATE_TEST_SUITE_P(Ramps, FusedHarmonics, testing::Values(Interpolation::kLinear, Interpolation::kWindow));

// Some sinusoids cross Nyquist.
TEST_P(FusedHarmonics, SinusoidsEqualThePlainFormForwardAndBackward) {
  const HarmonicSynthesisOptions options = Options(11 * 64);
  const auto plain = [&](const std::vector<Tensor>& x) {
    return OscillatorBank(Resample(x[0], options.n_samples),
                          Resample(x[1], options.n_samples, options.amp_resample_method));
  };
  const auto fused = [&](const std::vector<Tensor>& x) { return FusedSinusoids(x[0], x[1], options); };
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const std::vector<Tensor> inputs = {100 + 8500 * at::rand({3, 11, 7}, type), at::rand({3, 11, 7}, type)};
    ASSERT_TRUE(CanFuseSinusoids(inputs[0], inputs[1], options));
    ExpectClose(ValueAndGradients(plain, inputs), ValueAndGradients(fused, inputs), type == at::kFloat ? 1e-4 : 1e-9);
  }
}

TEST_P(FusedHarmonics, SinusoidsHaveTheGradientsOfDifferences) {
  const HarmonicSynthesisOptions options = Options(5 * 24);
  const auto fused = [&](const std::vector<Tensor>& x) { return FusedSinusoids(x[0], x[1], options); };
  const std::vector<Tensor> inputs = {150 + 3000 * at::rand({2, 5, 3}, at::kDouble), at::rand({2, 5, 3}, at::kDouble)};
  EXPECT_LE(GradientError(fused, inputs, 1e-5), 1e-7);
}

// A table for every sample, which is what upstream makes.
TEST(WavetableSynthesis, EqualsATableForEverySampleForwardAndBackward) {
  at::manual_seed(4);
  const int64_t samples = 7 * 33;
  const auto plain = [&](const std::vector<Tensor>& x) {
    const Tensor velocity = Resample(x[0], samples) / 16000;
    const Tensor phase = at::remainder(at::cumsum(velocity, 1) - velocity, 1);
    return LinearLookup(phase, Resample(x[1], samples)) * Resample(x[2], samples, Interpolation::kWindow).select(2, 0);
  };
  const auto fused = [&](const std::vector<Tensor>& x) {
    return WavetableSynthesis(x[0], x[2], x[1], {samples, 16000});
  };
  for (const int64_t batch : {2, 1}) {  // of the tables
    const std::vector<Tensor> inputs = {100 + 900 * at::rand({2, 7, 1}, at::kDouble),
                                        at::randn({batch, 7, 12}, at::kDouble), at::rand({2, 7, 1}, at::kDouble)};
    ExpectClose(ValueAndGradients(plain, inputs), ValueAndGradients(fused, inputs), 1e-9);
  }
}

class FusedFrames : public testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override { at::manual_seed(2); }
};

TEST_P(FusedFrames, EqualTheFftForwardAndBackward) {
  const int64_t window_size = GetParam(), frames = 9, hop = 37;
  const auto plain = [&](const std::vector<Tensor>& x) { return FrequencyFilter(x[0], x[1], window_size); };
  const auto fused = [&](const std::vector<Tensor>& x) { return FilterFrames(x[0], x[1], window_size); };
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const std::vector<Tensor> inputs = {at::randn({3, frames * hop}, type), at::rand({3, frames, 33}, type)};
    ExpectClose(ValueAndGradients(plain, inputs), ValueAndGradients(fused, inputs), type == at::kFloat ? 2e-6 : 1e-13);
  }
}

TEST_P(FusedFrames, HaveTheGradientsOfDifferences) {
  const auto fused = [&](const std::vector<Tensor>& x) { return FilterFrames(x[0], x[1], GetParam()); };
  EXPECT_LE(GradientError(fused, {at::randn({2, 4 * 11}, at::kDouble), at::rand({2, 4, 17}, at::kDouble)}), 1e-8);
}

// 0: all 64 taps; 15, 2: shortened, one tap left.
INSTANTIATE_TEST_SUITE_P(Windows, FusedFrames, testing::Values(0, 15, 2));

}  // namespace
}  // namespace ddsp
