// A voice of each recipe, from fresh weights to a bundle that loads.
#include "core/training/voice_export.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <filesystem>

#include "core/streaming/voice_loader.h"

namespace ddsp::training {
namespace {

VoiceShape SmallShape(const std::string& recipe) {
  VoiceShape shape = RecipeShape(recipe).value();
  shape.channels = shape.rnn_channels = 16;
  shape.layers_per_stack = 2;
  shape.harmonics = 8;
  shape.noise_bands = 9;
  shape.reverb_length = 600;
  shape.reverb_frames = 50;
  shape.reverb_bands = 8;
  return shape;
}

// A second.
std::vector<float> Tone(int64_t rate) {
  std::vector<float> audio(rate);
  for (int64_t i = 0; i < rate; ++i) audio[i] = static_cast<float>(0.2 * std::sin(i * 2 * M_PI * 330 / rate));
  return audio;
}

class VoiceExportTest : public testing::TestWithParam<std::string> {};

TEST_P(VoiceExportTest, MakesAVoiceThatTheEngineLoads) {
  const VoiceShape shape = SmallShape(GetParam());
  MaterialProfile material;
  material.profile.power_quantiles_db = {-60, -40, -20};
  material.profile.mean_pitch_midi = 64;
  material.min_pitch_midi = 60;
  material.max_pitch_midi = 70;
  ExportOptions options;
  options.label.name = "small";
  const auto voice = MakeVoice(shape, InitialParameters(shape, 1), {}, material, options, Tone(shape.sample_rate));
  ASSERT_TRUE(voice.ok()) << voice.status();
  EXPECT_EQ(voice->spec.recipe(), GetParam());
  EXPECT_EQ(voice->decoder_hop(), shape.hop);
  EXPECT_EQ(voice->spec.sample_rate_hz(), shape.sample_rate);
  EXPECT_EQ(voice->spec.hop_size(), shape.sample_rate / 50);
  EXPECT_EQ(voice->golden.output.size(), shape.sample_rate + shape.reverb_length - 1);
  EXPECT_EQ(voice->weights.at("reverb/ir").values[0], 0);

  const std::string folder = testing::TempDir() + "/voice_export_test_" + GetParam() + "/1";
  std::filesystem::remove_all(std::filesystem::path(folder).parent_path());
  ASSERT_TRUE(WriteBundle(folder, *voice, options.storage).ok());
  EXPECT_TRUE(LoadVoice(folder).ok()) << LoadVoice(folder).status();  // plays the golden audio
}

INSTANTIATE_TEST_SUITE_P(Recipes, VoiceExportTest, testing::ValuesIn(RecipeNames()));

}  // namespace
}  // namespace ddsp::training
