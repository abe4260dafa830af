#include "core/importer/voice/imported_voice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/safetensors.h"
#include "core/streaming/render.h"
#include "core/streaming/voice_loader.h"
#include "tests/core/importer/fixtures.h"

namespace ddsp::importer {
namespace {

using ::testing::HasSubstr;

ImportedModel Read(const std::string& fixture) {
  auto model = ReadTrainingDirectory(Fixture(fixture));
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

VoiceImportOptions Named(const std::string& name) {
  VoiceImportOptions options;
  options.name = name;
  return options;
}

// Both recipes, through a bundle on disk: shapes, latency and golden audio are checked by the loader.
TEST(ImportedVoice, IsABundleThatTheLoaderAccepts) {
  TemporaryDirectory directory;
  for (const std::string fixture : {"vst_small", "solo_small", "solo_legacy_slots"}) {
    const auto voice = MakeImportedVoice(Read(fixture), Named("imported"));
    ASSERT_TRUE(voice.ok()) << voice.status();
    const std::string version = directory / (fixture + "/1");
    ASSERT_TRUE(WriteBundle(version, *voice, WeightStorage::kFloat32).ok());
    const auto loaded = LoadVoice(version);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ((*loaded)->weights.at("decoder/dense_out/bias").values,
              voice->weights.at("decoder/dense_out/bias").values);
  }
}

TEST(ImportedVoice, Sounds) {
  const auto voice = MakeImportedVoice(Read("vst_small"), Named("imported"));
  ASSERT_TRUE(voice.ok()) << voice.status();
  double energy = 0;
  for (const float x : voice->golden.output) energy += x * x;
  EXPECT_GT(std::sqrt(energy / static_cast<double>(voice->golden.output.size())), 1e-3);
}

// A draw of the response is stored: the same seed gives the same voice.
TEST(ImportedVoice, FreezesTheReverb) {
  const ImportedModel model = Read("vst_small");
  const auto ir = [&](uint64_t seed) {
    VoiceImportOptions options = Named("imported");
    options.seed = seed;
    return MakeImportedVoice(model, options)->weights.at("reverb/ir").values;
  };
  EXPECT_EQ(ir(1).size(), 1200u);
  EXPECT_EQ(ir(1), ir(1));
  EXPECT_NE(ir(1), ir(2));
  EXPECT_EQ(ir(1)[0], 0);
}

TEST(ImportedVoice, TakesItsProfileFromTheStatistics) {
  const auto voice = MakeImportedVoice(Read("vst_small"), Named("imported"));
  ASSERT_TRUE(voice.ok());
  EXPECT_EQ(voice->spec.profile().power_quantiles_db_size(), 3);
  EXPECT_NEAR(voice->spec.profile().mean_pitch_midi(), 59.6, 0.2);
}

TEST(ImportedVoice, PlaysAtItsRate) {
  ImportedModel model = Read("vst_small");
  model.config.sample_rate = 48000;
  const auto voice = MakeImportedVoice(model, Named("imported"));
  ASSERT_TRUE(voice.ok()) << voice.status();
  EXPECT_EQ(voice->spec.hop_size(), 960);
  EXPECT_EQ(voice->spec.latency_samples(), 2496);
  EXPECT_EQ(voice->golden.input.size(), 48000u);
}

// 250 frames of controls a second from 50 of features: five in each hop of 320 samples.
TEST(ImportedVoice, InterpolatesFeaturesForAFastDecoder) {
  const auto voice = MakeImportedVoice(Read("solo_small"), Named("imported"));
  ASSERT_TRUE(voice.ok()) << voice.status();
  EXPECT_EQ(voice->spec.features().frame_rate(), 50);
  EXPECT_EQ(voice->spec.decoder().frame_rate(), 250);
  EXPECT_EQ(voice->spec.hop_size(), 320);
  EXPECT_EQ(voice->spec.latency_samples(), 832);
}

// What a file of parameters says of loudness wins over what its configuration looks like.
TEST(ImportedVoice, ParametersMayNameTheirLoudness) {
  TemporaryDirectory directory;
  for (const auto definition : {LoudnessDefinition::kMeanOfPower, LoudnessDefinition::kMeanOfDb}) {
    ImportedModel model = Read("solo_small");
    model.config.loudness = definition;
    ASSERT_TRUE(WriteParameters(model, directory / "solo.safetensors").ok());
    const auto read = ReadParameterFiles({.parameters = directory / "solo.safetensors"});
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->config.loudness, definition);
  }
}

TEST(ImportedVoice, OldLoudnessIsAcceptedOnlyOnRequest) {
  ImportedModel model = Read("solo_small");
  model.config.loudness = LoudnessDefinition::kMeanOfDb;
  VoiceImportOptions options = Named("imported");
  EXPECT_EQ(MakeImportedVoice(model, options).status().code(), absl::StatusCode::kFailedPrecondition);
  options.old_loudness = OldLoudness::kAccept;
  const auto voice = MakeImportedVoice(model, options);
  ASSERT_TRUE(voice.ok()) << voice.status();
  EXPECT_EQ(voice->spec.features().loudness_definition(), "mean_of_db");
}

TEST(ImportedVoice, SaysWhatTheEngineCannotPlay) {
  ImportedModel model = Read("vst_small");
  model.config.obstacles = {"its encoder reads the whole recording"};
  const auto voice = MakeImportedVoice(model, Named("imported"));
  EXPECT_EQ(voice.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(voice.status().message(), HasSubstr("its encoder reads the whole recording"));
}

TEST(ImportedVoice, WritesParametersForTheLibrary) {
  TemporaryDirectory directory;
  const ImportedModel model = Read("solo_small");
  ASSERT_TRUE(WriteParameters(model, directory / "solo.safetensors").ok());
  const auto file = Safetensors::Read(directory / "solo.safetensors");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->Names().size(), model.weights.weights.size());
  EXPECT_EQ(file->GetFloats("processor_group/reverb/ir").value(),
            model.weights.weights.at("processor_group/reverb/ir").values);
  EXPECT_EQ(file->metadata().at("recipe"), "solo_instrument");
  EXPECT_EQ(file->metadata().at("loudness_definition"), "mean_of_power");
}

}  // namespace
}  // namespace ddsp::importer
