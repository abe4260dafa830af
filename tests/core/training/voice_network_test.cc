// The network of training against the library's decoder, processors and loss, forward and backward.
#include "core/training/voice_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/dsp/preprocessing.h"
#include "core/losses/spectral_loss.h"
#include "core/nn/rnn_fc_decoder.h"
#include "core/processors/effects.h"
#include "core/processors/mixing.h"
#include "core/processors/synths.h"
#include "core/training/train_step.h"

namespace ddsp::training {
namespace {

VoiceShape SmallShape(const std::string& recipe, int64_t layers) {
  VoiceShape shape = RecipeShape(recipe).value();
  shape.channels = 12;
  shape.rnn_channels = 20;
  shape.layers_per_stack = layers;
  shape.harmonics = 30;  // some above Nyquist
  shape.noise_bands = 17;
  shape.noise_bias = -1;
  shape.reverb_length = 600;
  shape.reverb_frames = 50;
  shape.reverb_bands = 8;  // 14 taps over frames of 12 samples
  return shape;
}

// The same signal from the library's parts.
at::Tensor Reference(const VoiceShape& shape, const Parameters& parameters, const VoiceControls& controls,
                     const VoiceNoise& noise) {
  const int64_t frames = controls.f0_hz.size(1), samples = frames * shape.hop;
  RnnFcDecoder::Options decoder_options;
  decoder_options.rnn_channels = shape.rnn_channels;
  decoder_options.ch = shape.channels;
  decoder_options.layers_per_stack = shape.layers_per_stack;
  decoder_options.inputs = {{"pw_scaled"}, {"f0_scaled"}};
  decoder_options.output_splits = {
      {"amps", 1}, {"harmonic_distribution", shape.harmonics}, {"noise_magnitudes", shape.noise_bands}};
  const auto decoder = RnnFcDecoder::Create(decoder_options).value();
  NamedTensors weights, reverb_weights;
  for (const auto& [name, value] : parameters) {
    if (name.starts_with("decoder/")) weights[name.substr(8)] = value;
  }
  EXPECT_TRUE(UseParameters(*decoder, weights).ok());
  const bool vst = shape.recipe == Recipe::kVst;
  const at::Tensor f0 = controls.f0_hz.unsqueeze(2);
  const auto out =
      decoder->Forward({{"pw_scaled", ScaleDb(controls.level_db.unsqueeze(2))}, {"f0_scaled", ScaleF0Hz(f0)}}).value();

  Harmonic::Options harmonic;
  harmonic.n_samples = samples;
  harmonic.sample_rate = static_cast<double>(shape.sample_rate);
  if (vst) harmonic.amp_resample_method = Interpolation::kLinear;
  FilteredNoise::Options filtered;
  filtered.n_samples = samples;
  filtered.window_size = 0;
  filtered.initial_bias = shape.noise_bias;
  Reverb::Options reverb;
  reverb.source = ReverbSource::kParameters;
  reverb.reverb_length = shape.reverb_length;
  FilteredNoiseReverb::NoiseOptions response;
  response.n_frames = shape.reverb_frames;
  response.n_filter_banks = shape.reverb_bands;
  response.initial_bias = shape.reverb_bias;

  const at::Tensor tone = Harmonic(harmonic)
                              .Run({{"amplitudes", out.controls.at("amps")},
                                    {"harmonic_distribution", out.controls.at("harmonic_distribution")},
                                    {"f0_hz", f0}})
                              .value()
                              .signal;
  ProcessorContext noise_context, reverb_context;
  noise_context.noise = noise.audio;
  reverb_context.noise = noise.reverb;
  reverb_context.parameters = {{vst ? "magnitudes" : "ir", parameters.at(ReverbParameter(shape.recipe))}};
  const at::Tensor hiss =
      FilteredNoise(filtered).Run({{"magnitudes", out.controls.at("noise_magnitudes")}}, noise_context).value().signal;
  const at::Tensor dry = tone + hiss;
  if (!vst) return Reverb(reverb).Run({{"audio", dry}}, reverb_context).value().signal;
  const at::Tensor wet = FilteredNoiseReverb(reverb, response).Run({{"audio", dry}}, reverb_context).value().signal;
  return Crop(shape.hop).Run({{"audio", wet}}).value().signal;
}

class VoiceNetworkTest : public testing::TestWithParam<std::tuple<std::string, int64_t>> {};

TEST_P(VoiceNetworkTest, EqualsTheLibrarysParts) {
  const VoiceShape shape = SmallShape(std::get<0>(GetParam()), std::get<1>(GetParam()));
  Parameters initial = InitialParameters(shape, 3);
  // As loud a room for either recipe: N(0, 1e-6) would be lost in the tolerance.
  if (shape.recipe == Recipe::kSoloInstrument) initial.at(ReverbParameter(shape.recipe)) *= 1e4;
  const int64_t batch = 2, samples = 8 * shape.sample_rate / 50, frames = shape.frames(samples);
  at::manual_seed(5);
  const VoiceControls controls{at::rand({batch, frames}) * 40 - 50, at::rand({batch, frames}) * 400 + 150};
  const VoiceNoise noise = DrawNoise(shape, 1, 0, 0, batch, frames);
  const at::Tensor target = at::randn({batch, samples}) * 0.1;

  Parameters fast, slow;
  for (const auto& [name, value] : initial) {
    fast[name] = value.clone().requires_grad_(true);
    slow[name] = value.clone().requires_grad_(true);
  }
  const at::Tensor audio =
      Synthesize(shape, fast, controls, noise.audio, ReverbImpulseResponse(shape, fast, noise.reverb));
  const at::Tensor expected = Reference(shape, slow, controls, noise);
  ASSERT_EQ(audio.sizes(), expected.sizes());
  EXPECT_LE((audio - expected).abs().max().item<double>(), 2e-5);

  const SpectralLoss spectral(RecipeLoss(shape.sample_rate));
  const at::Tensor loss = spectral(target, audio), expected_loss = spectral.Compute(target, expected).total;
  EXPECT_NEAR(loss.item<double>(), expected_loss.item<double>(), 1e-4 * expected_loss.item<double>());
  loss.backward();
  expected_loss.backward();
  for (const auto& [name, value] : fast) {
    const at::Tensor gradient = slow.at(name).grad();
    EXPECT_LE((value.grad() - gradient).abs().max().item<double>(), 5e-3 * gradient.abs().max().item<double>() + 1e-6)
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Recipes, VoiceNetworkTest,
                         testing::Combine(testing::ValuesIn(RecipeNames()), testing::Values(1, 2)));

// The conditioned loss: without a floor, rounding decides the gradient of quiet bins.
TEST_P(VoiceNetworkTest, TwentyStepsFollowTheLibrarysParts) {
  StepOptions options;
  options.shape = SmallShape(std::get<0>(GetParam()), std::get<1>(GetParam()));
  options.objective.log_floor = 1e-3;
  const Parameters initial = InitialParameters(options.shape, 3);
  TrainStep fast(options, initial);
  ParameterStore slow(initial);
  Adam adam;
  at::Tensor gradients = at::zeros_like(slow.flat()), rates = at::ones_like(slow.flat());
  const int64_t batch = 3, samples = 8 * options.shape.sample_rate / 50, frames = options.shape.frames(samples);
  at::manual_seed(5);
  const VoiceControls controls{at::rand({batch, frames}) * 40 - 50, at::rand({batch, frames}) * 400 + 150};
  const at::Tensor target = at::randn({batch, samples}) * 0.1;
  for (int64_t step = 0; step < 20; ++step) {
    const VoiceNoise noise = DrawNoise(options.shape, 1, step, 0, batch, frames);
    const auto report = fast.Run({target, controls}, noise);
    ASSERT_TRUE(report.ok()) << report.status();
    const at::Tensor loss = SpectralLoss(options.objective)
                                .Compute(target, Reference(options.shape, slow.Leaves(gradients), controls, noise))
                                .total;
    loss.backward();
    const double norm = ClipNorm(options.clip_norm, gradients);
    adam.Update(step, options.learning_rate.At(step), rates, gradients, slow.flat());
    // Wider after the first: Adam makes whole steps of weights whose gradient is next to nothing, in the direction that
    // rounding gives.
    EXPECT_NEAR(report->loss, loss.item<double>(), (step == 0 ? 1e-5 : 1e-3) * report->loss) << "step " << step;
    EXPECT_NEAR(report->gradient_norm, norm, (step == 0 ? 1e-3 : 0.2) * norm) << "step " << step;
  }
}

TEST(VoiceNetwork, NoiseIsAPureFunctionOfItsPlace) {
  const VoiceShape shape = SmallShape("vst", 1);
  const VoiceNoise whole = DrawNoise(shape, 1, 7, 0, 4, 5), part = DrawNoise(shape, 1, 7, 2, 2, 5);
  EXPECT_TRUE(at::equal(whole.audio.slice(0, 2, 4), part.audio));
  EXPECT_TRUE(at::equal(whole.reverb, part.reverb));
  EXPECT_FALSE(at::equal(whole.audio, DrawNoise(shape, 1, 8, 0, 4, 5).audio));
  EXPECT_FALSE(at::equal(whole.audio, DrawNoise(shape, 2, 7, 0, 4, 5).audio));
}

int64_t CountParameters(const VoiceShape& shape) {
  int64_t count = 0;
  for (const auto& [name, extents] : ParameterShapes(shape)) {
    int64_t size = 1;
    for (const int64_t extent : extents) size *= extent;
    count += size;
  }
  return count;
}

TEST(VoiceNetwork, HasUpstreamsNumberOfParameters) {
  EXPECT_EQ(CountParameters({}), 1873278 + 16000);
  EXPECT_EQ(CountParameters(RecipeShape("solo_instrument").value()), 4801150 + 48000);
  EXPECT_EQ(CountParameters(RecipeShape("vst_48k").value()), 1892039 + 16000);
}

TEST(VoiceNetwork, RecipesOfOtherRatesLastAsLong) {
  const VoiceShape vst = RecipeShape("vst").value();
  for (const std::string& recipe : RecipeNames()) {
    const VoiceShape shape = RecipeShape(recipe).value();
    EXPECT_EQ(shape.sample_rate % shape.hop, 0) << recipe;
    if (shape.recipe != Recipe::kVst) continue;
    EXPECT_EQ(shape.hop * 50, shape.sample_rate) << recipe;
    EXPECT_EQ(shape.reverb_length * vst.sample_rate, vst.reverb_length * shape.sample_rate) << recipe;
    EXPECT_EQ(shape.reverb_length % shape.reverb_frames, 0) << recipe;
  }
}

TEST(VoiceNetwork, TheLossLooksAsLongAtEveryRate) {
  EXPECT_EQ(RecipeLoss(16000).fft_sizes, RecipeSpectralLoss().fft_sizes);
  EXPECT_THAT(RecipeLoss(24000).fft_sizes, testing::ElementsAre(4096, 2048, 1024, 512, 256, 128));
  EXPECT_THAT(RecipeLoss(48000).fft_sizes, testing::ElementsAre(8192, 4096, 2048, 1024, 512, 256));
}

TEST(VoiceNetwork, NamesTheRecipesThereAre) {
  const absl::Status status = RecipeShape("solo").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  for (const std::string& recipe : RecipeNames()) {
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(recipe));
    EXPECT_EQ(NameOf(*RecipeShape(recipe)), recipe);
  }
}

TEST(VoiceNetwork, BeginsAsKerasDoes) {
  const Parameters parameters = InitialParameters({}, 1);
  const at::Tensor recurrent = parameters.at("decoder/rnn/rnn/cell/recurrent_kernel");
  EXPECT_LE((at::mm(recurrent, recurrent.t()) - at::eye(512)).abs().max().item<double>(), 1e-4);
  const at::Tensor kernel = parameters.at("decoder/rnn/rnn/cell/kernel");
  EXPECT_NEAR(kernel.abs().max().item<double>(), std::sqrt(6.0 / (512 + 1536)), 1e-3);
  EXPECT_EQ(parameters.at("decoder/dense_out/bias").abs().max().item<double>(), 0);
  EXPECT_EQ(parameters.at("decoder/out_stack/layer_with_weights-0/layer_with_weights-1/gamma").min().item<double>(), 1);
}

}  // namespace
}  // namespace ddsp::training
