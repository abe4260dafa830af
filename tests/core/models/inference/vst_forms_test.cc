#include "core/models/inference/vst_forms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/dsp/preprocessing.h"
#include "tests/support/random_crepe.h"

namespace ddsp {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kUnits = 12, kHarmonics = 5, kBands = 4;

VstPredictControls::Options SmallModel() {
  VstPredictControls::Options options;
  options.decoder.rnn_channels = kUnits;
  options.decoder.ch = 8;
  options.decoder.layers_per_stack = 1;
  options.decoder.inputs = {{"pw_scaled"}, {"f0_scaled"}};
  options.decoder.output_splits = {{"amps", 1}, {"harmonic_distribution", kHarmonics}, {"noise_magnitudes", kBands}};
  return options;
}

// Parameters of a decoder below "decoder/", as a model has them.
NamedTensors ParametersOf(RnnFcDecoder& decoder) {
  NamedTensors parameters;
  for (const auto& [path, value] : CollectParameters(decoder)) parameters["decoder/" + path] = value;
  return parameters;
}

std::unique_ptr<RnnFcDecoder> RandomDecoder() {
  auto decoder = RnnFcDecoder::Create(SmallModel().decoder);
  InitializeParameters(**decoder);
  return *std::move(decoder);
}

VstControls Tone(double amplitude) {
  at::Tensor hd = at::zeros({kHarmonics});
  hd[0] = 1;
  return {at::full({1}, amplitude), hd, at::zeros({kBands})};
}

TEST(VstExtractFeatures, TakesThePitchThatCrepeHears) {
  const auto tracker = *CrepeNetwork::Create(ToTensors(*Safetensors::Parse(testing::RandomCrepe(1).Format())));
  const at::Tensor audio = 0.5 * at::sin(at::arange(1024, at::kFloat) * (2 * M_PI * 300 / 16000));
  const double heard = TrackPitch(*tracker, audio.unsqueeze(0), {.padding = FramePadding::kValid}).f0_hz.item<double>();
  const VstFeatures features = VstExtractFeatures(audio, *tracker);
  EXPECT_NEAR(features.f0_hz, heard, 1e-3 * heard);
  EXPECT_NEAR(features.pw_scaled, VstExtractFeatures(audio, 440).pw_scaled, 1e-6);
  EXPECT_THROW(VstExtractFeatures(at::zeros({512}), *tracker), c10::ValueError);
}

// Frame by frame with the state carried is the whole sequence at once.
TEST(VstPredictControls, CarriesTheSequence) {
  const auto decoder = RandomDecoder();
  const auto form = VstPredictControls::Create(SmallModel(), ParametersOf(*decoder));
  ASSERT_TRUE(form.ok()) << form.status();
  const at::Tensor f0 = at::linspace(0.4, 0.6, 6), power = at::linspace(0.9, 0.1, 6);
  const auto whole = decoder->Forward({{"f0_scaled", f0.view({1, 6, 1})}, {"pw_scaled", power.view({1, 6, 1})}});
  ASSERT_TRUE(whole.ok()) << whole.status();
  at::Tensor state;
  for (int64_t t = 0; t < 6; ++t) {
    const auto frame = (*form)->Predict(f0[t].item<double>(), power[t].item<double>(), state);
    ASSERT_TRUE(frame.ok()) << frame.status();
    EXPECT_NEAR(frame->controls.hd.sum().item<double>(), 1.0, 1e-5);
    state = frame->state;
  }
  EXPECT_TRUE(at::allclose(state, whole->state.flatten(), 0, 1e-5));
}

TEST(VstPredictControls, SilencesHarmonicsAboveNyquist) {
  const auto decoder = RandomDecoder();
  const auto form = VstPredictControls::Create(SmallModel(), ParametersOf(*decoder));
  ASSERT_TRUE(form.ok());
  const double scaled = ScaleF0Hz(at::scalar_tensor(3000.0, at::kFloat)).item<double>();  // 3, 6, 9, ... kHz
  const auto frame = (*form)->Predict(scaled, 0.5);
  ASSERT_TRUE(frame.ok());
  EXPECT_EQ(frame->controls.hd.narrow(0, 2, kHarmonics - 2).abs().max().item<double>(), 0);
}

TEST(VstPredictControls, NamesWhatDoesNotFit) {
  const auto decoder = RandomDecoder();
  NamedTensors parameters = ParametersOf(*decoder);
  const auto form = VstPredictControls::Create(SmallModel(), parameters);
  ASSERT_TRUE(form.ok());
  EXPECT_THAT((*form)->Predict(0.5, 0.5, at::zeros({kUnits + 1})).status().message(), HasSubstr("expected [12]"));
  parameters.erase("decoder/dense_out/bias");
  EXPECT_THAT(VstPredictControls::Create(SmallModel(), parameters).status().message(), HasSubstr("dense_out/bias"));
}

// Hops of one tone join to one tone: sample n has the phase of n + 1 steps.
TEST(VstSynthesize, ContinuesThePhase) {
  VstSynthesize::Options options;
  options.hop_size = 100;
  const auto form = VstSynthesize::Create(options);
  ASSERT_TRUE(form.ok());
  const VstFrame frame{440, Tone(0.5)};
  double phase = 0;
  for (int64_t hop = 0; hop < 20; ++hop) {
    const auto made = (*form)->Synthesize(frame, frame, phase, at::zeros({100}));
    ASSERT_TRUE(made.ok()) << made.status();
    for (int64_t i = 0; i < 100; ++i) {
      const double n = static_cast<double>(hop * 100 + i + 1);
      EXPECT_NEAR(made->audio[i].item<double>(), 0.5 * std::sin(2 * std::numbers::pi * 440 * n / 16000), 1e-5);
    }
    phase = made->phase;
    EXPECT_TRUE(phase >= 0 && phase < 2 * std::numbers::pi + 1e-6) << phase;
  }
}

// Upstream's half ramp: the new frame is reached in the middle of the hop and held.
TEST(VstSynthesize, ReachesTheNewFrameHalfWay) {
  VstSynthesize::Options options;
  options.hop_size = 8;
  options.sample_rate = 8 * 220.0 * 4;  // slow against the hop
  const auto form = VstSynthesize::Create(options);
  ASSERT_TRUE(form.ok());
  const auto ramp = (*form)->Synthesize({220, Tone(0)}, {220, Tone(1)}, 0, at::zeros({8}));
  const auto full = (*form)->Synthesize({220, Tone(1)}, {220, Tone(1)}, 0, at::zeros({8}));
  ASSERT_TRUE(ramp.ok() && full.ok());
  const at::Tensor expected = full->audio * at::tensor({0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0}, at::kFloat);
  EXPECT_TRUE(at::allclose(ramp->audio, expected, 0, 1e-6)) << ramp->audio << expected;
}

TEST(VstExtractFeatures, MeasuresTheFrame) {
  const VstFeatures features = VstExtractFeatures(at::full({1024}, 0.1), 440);
  EXPECT_NEAR(features.pw_db, -20, 1e-4);
  EXPECT_NEAR(features.pw_scaled, 0.75, 1e-5);
  EXPECT_NEAR(features.f0_scaled, 69.0 / 127, 1e-6);
  EXPECT_EQ(VstExtractFeatures(at::zeros({1024}), 440).pw_db, -80);
}

}  // namespace
}  // namespace ddsp
