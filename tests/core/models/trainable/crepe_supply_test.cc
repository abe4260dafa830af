// Models whose configuration needs the weights of CREPE.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/dsp/crepe_network.h"
#include "core/losses/crepe_embedding_loss.h"
#include "tests/core/models/trainable/configured.h"
#include "tests/support/random_crepe.h"

namespace ddsp {
namespace {

using ::testing::AllOf;
using testing::ConfiguredModel;
using ::testing::HasSubstr;
using ::testing::Key;
using testing::Tones;
using ::testing::UnorderedElementsAre;
using Params = std::vector<std::string>;

std::shared_ptr<const CrepeNetwork> Crepe(int64_t multiplier) {
  return *CrepeNetwork::Create(ToTensors(*Safetensors::Parse(testing::RandomCrepe(multiplier).Format())));
}

GinModelOptions With(std::shared_ptr<const CrepeNetwork> crepe) {
  GinModelOptions options;
  options.crepe = std::move(crepe);
  return options;
}

Params Instrument(const Params& more) {
  Params params = testing::SmallInstrument();
  params.insert(params.end(), more.begin(), more.end());
  return params;
}

Params PerceptualInstrument() {
  return Instrument({"Autoencoder.losses = [@losses.SpectralLoss(), @losses.PretrainedCREPEEmbeddingLoss()]",
                     "PretrainedCREPEEmbeddingLoss.weight = 0.01"});
}

// 0.32 s at 50 frames a second, pitch computed by the model.
Params TrackingVst() {
  return Instrument({"n_samples = 5440", "FilteredNoiseReverb.reverb_length = 800", "FilteredNoiseReverb.n_frames = 4",
                     "OnlineF0PowerPreprocessor.compute_f0 = True"});
}

std::string ErrorOf(const std::string& name, const Params& params, const GinModelOptions& options = {}) {
  return std::string(ModelFromGin(*testing::ReadConfigs(name, params), options).status().message());
}

TEST(CrepeSupply, PerceptualLossComparesEmbeddings) {
  const auto crepe = Crepe(4);
  const auto model = ConfiguredModel("models/solo_instrument.gin", PerceptualInstrument(), With(crepe));
  const NamedTensors features = Tones(2, 5120, 80);
  const ModelOutputs made = *model->Run(features);
  EXPECT_THAT(made.losses, UnorderedElementsAre(Key("spectral_loss"), Key("pretrained_crepe_embedding_loss")));
  const auto embed = [&](const at::Tensor& audio) { return CrepeEmbedding(*crepe, audio, "classifier"); };
  const at::Tensor difference = embed(features.at("audio")) - embed(made.outputs.at("audio_synth"));
  EXPECT_NEAR(made.losses.at("pretrained_crepe_embedding_loss").item<double>(),
              0.01 * 20 * 130 * difference.abs().mean().item<double>(), 1e-3);
  EXPECT_EQ(CollectParameters(*model).count("losses/conv1/kernel"), 0u);
}

TEST(CrepeSupply, PerceptualLossTrains) {
  Params params = PerceptualInstrument();
  params.emplace_back("Autoencoder.losses = [@losses.PretrainedCREPEEmbeddingLoss()]");
  const auto model = ConfiguredModel("models/solo_instrument.gin", params, With(Crepe(4)));
  const std::vector<double> losses = testing::Train(*model, Tones(2, 5120, 80), 12, 3e-3);
  EXPECT_LT(losses.back(), losses.front());
}

TEST(CrepeSupply, EmbeddingLossTakesAnyLayer) {
  const Params params = Instrument({"Autoencoder.losses = [@losses.EmbeddingLoss()]", "EmbeddingLoss.name = 'heard'",
                                    "EmbeddingLoss.pretrained_model = @losses.PretrainedCREPE()",
                                    "PretrainedCREPE.activation_layer = 'conv2-BN'"});
  const auto model = ConfiguredModel("models/solo_instrument.gin", params, With(Crepe(4)));
  const ModelOutputs made = *model->Run(Tones(1, 5120, 80));
  ASSERT_THAT(made.losses, UnorderedElementsAre(Key("heard")));
  EXPECT_GT(made.losses.at("heard").item<double>(), 0);
}

// Whatever pitch the features have, the model's is what the network hears, and does not change in training.
TEST(CrepeSupply, ComputesPitch) {
  const auto crepe = Crepe(1);
  Params params = TrackingVst();
  params.emplace_back("OnlineF0PowerPreprocessor.crepe_saved_model_path = 'some/model'");
  const auto model = ConfiguredModel("models/vst.gin", params, With(crepe));
  NamedTensors features = Tones(2, 5120, 17);
  const ModelOutputs given = *model->Run(features);
  features.erase("f0_hz");
  features.erase("f0_confidence");
  const ModelOutputs made = *model->Run(features);
  CrepeTrackOptions track;
  track.hop_size = 320;
  const CrepePitch heard = TrackPitch(*crepe, features.at("audio"), track);
  EXPECT_TRUE(at::allclose(made.outputs.at("f0_hz").squeeze(-1), heard.f0_hz));
  EXPECT_TRUE(at::allclose(made.outputs.at("f0_confidence"), heard.confidence));
  EXPECT_TRUE(at::equal(given.outputs.at("f0_hz"), made.outputs.at("f0_hz")));
  EXPECT_EQ(testing::Train(*model, features, 1, 1e-3).size(), 1u);
}

TEST(CrepeSupply, SaysHowToGiveWeights) {
  EXPECT_THAT(ErrorOf("models/solo_instrument.gin", PerceptualInstrument()),
              AllOf(HasSubstr("losses.PretrainedCREPEEmbeddingLoss needs the weights of CREPE"),
                    HasSubstr("--crepe-weights FILE.safetensors"), HasSubstr("GinModelOptions::crepe")));
  EXPECT_THAT(ErrorOf("models/vst.gin", TrackingVst()),
              HasSubstr("preprocessing.OnlineF0PowerPreprocessor needs the weights of CREPE"));
}

TEST(CrepeSupply, SizesHaveToFit) {
  const GinModelOptions options = With(Crepe(1));
  EXPECT_THAT(ErrorOf("models/solo_instrument.gin", PerceptualInstrument(), options),
              HasSubstr("model_capacity is 'tiny', but the weights of CREPE that are given are those of '1 times 32"));
  Params params = TrackingVst();
  params.emplace_back("OnlineF0PowerPreprocessor.crepe_saved_model_path = 'full'");
  EXPECT_THAT(ErrorOf("models/vst.gin", params, options), HasSubstr("crepe_saved_model_path is 'full', but"));
}

TEST(CrepeSupply, RejectsLayersAndModelsThatThereAreNot) {
  const GinModelOptions options = With(Crepe(4));
  Params params = PerceptualInstrument();
  params.emplace_back("PretrainedCREPEEmbeddingLoss.activation_layer = 'conv7-BN'");
  EXPECT_THAT(ErrorOf("models/solo_instrument.gin", params, options),
              HasSubstr("'conv7-BN', expected one of conv1-BN"));
  EXPECT_THAT(
      ErrorOf("models/solo_instrument.gin", Instrument({"Autoencoder.losses = [@losses.EmbeddingLoss()]"}), options),
      HasSubstr("EmbeddingLoss.pretrained_model is not losses.PretrainedCREPE"));
}

}  // namespace
}  // namespace ddsp
