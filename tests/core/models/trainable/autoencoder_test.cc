#include "core/models/trainable/autoencoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/models/trainable/configured.h"

namespace ddsp {
namespace {

using testing::ConfiguredModel;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using testing::SmallInstrument;
using testing::Tones;

TEST(Autoencoder, ReturnsControlsSoundAndLosses) {
  const auto model = ConfiguredModel("models/solo_instrument.gin", SmallInstrument());
  const NamedTensors features = Tones(2, 5120, 80);
  const ModelOutputs made = *model->Run(features);
  for (const char* name : {"f0_scaled", "ld_scaled", "amps", "harmonic/controls/amplitudes", "add/signal",
                           "reverb/controls/ir", "out/signal"}) {
    EXPECT_THAT(made.outputs, Contains(Key(name)));
  }
  EXPECT_EQ(made.outputs.at("audio_synth").sizes(), at::IntArrayRef({2, 5120}));
  EXPECT_TRUE(at::equal(made.outputs.at(model->AudioOutput()), made.outputs.at("out/signal")));
  ASSERT_EQ(made.losses.size(), 1u);
  EXPECT_TRUE(at::equal(made.TotalLoss(), made.losses.at("spectral_loss")));
}

// Whoever only wants the sound gives no audio, and the level instead.
TEST(Autoencoder, NeedsNoAudioToPlay) {
  const auto model = ConfiguredModel("models/solo_instrument.gin", SmallInstrument());
  NamedTensors features = Tones(1, 5120, 80);
  features.erase("audio");
  const auto made = model->Run(features);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(made->losses.empty());
  EXPECT_FALSE(made->TotalLoss().defined());
  features.erase("loudness_db");
  EXPECT_EQ(model->Run(features).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(model->Run(features).status().message()), HasSubstr("loudness_db"));
}

struct Recipe {
  const char* config;
  std::vector<std::string> params;
  int64_t samples, frames;
};

class Recipes : public ::testing::TestWithParam<Recipe> {};

TEST_P(Recipes, LearnTones) {
  const Recipe& recipe = GetParam();
  std::vector<std::string> params = SmallInstrument();
  params.insert(params.end(), recipe.params.begin(), recipe.params.end());
  const auto model = ConfiguredModel(recipe.config, params);
  NamedTensors features = Tones(2, recipe.samples, recipe.frames);
  const std::vector<double> losses = testing::Train(*model, features, 60, 3e-3);
  EXPECT_LT(losses.back(), 0.6 * losses.front());
}

std::vector<std::string> SmallVst() {
  return {"n_samples = 5440", "FilteredNoiseReverb.reverb_length = 800", "FilteredNoiseReverb.n_frames = 8",
          "FilteredNoiseReverb.initial_bias = -8.0"};
}

INSTANTIATE_TEST_SUITE_P(
    All, Recipes,
    ::testing::Values(Recipe{"models/solo_instrument.gin", {"Reverb.reverb_length = 800"}, 5120, 80},
                      Recipe{"models/ae.gin", {"MfccTimeDistributedRnnEncoder.rnn_channels = 16"}, 5120, 80},
                      Recipe{"papers/iclr2020/tiny_instrument.gin",
                             {"RnnFcDecoder.layers_per_stack = 0", "Reverb.reverb_length = 800"},
                             5120,
                             80},
                      Recipe{"models/vst.gin", SmallVst(), 5120, 17}));

// The recipes at higher rates read the level from the copy at 16 kHz.
TEST(Autoencoder, PlaysAtHigherRates) {
  std::vector<std::string> params = SmallInstrument();
  params.insert(params.end(),
                {"n_samples = 16320", "FilteredNoiseReverb.reverb_length = 4000", "FilteredNoiseReverb.n_frames = 8"});
  const auto model = ConfiguredModel("models/vst_48k.gin", params);
  NamedTensors features = Tones(1, 5120, 17);
  features["audio_16k"] = features["audio"];
  features["audio"] = at::zeros({1, 15360});
  const auto made = model->Run(features);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->outputs.at("audio_synth").sizes(), at::IntArrayRef({1, 15360}));
}

}  // namespace
}  // namespace ddsp
