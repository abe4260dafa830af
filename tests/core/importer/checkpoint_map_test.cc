#include "core/importer/checkpoint_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/gin/reader.h"
#include "core/importer/training_directory.h"
#include "tests/core/importer/fixtures.h"

namespace ddsp::importer {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ModelConfig Model(const std::string& fixture, const std::vector<std::string>& overrides = {}) {
  auto config = gin::ReadConfig(Fixture(fixture) + "/operative_config-0.gin");
  EXPECT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(gin::Override(overrides, &*config).ok());
  auto model = ReadModelConfig(*config);
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

absl::StatusOr<ImportedWeights> Weights(const std::string& fixture, const ModelConfig& model) {
  auto bundle = TensorBundle::Open(FixturePrefix(fixture));
  EXPECT_TRUE(bundle.ok()) << bundle.status();
  return ReadWeights(*bundle, model);
}

TEST(ModelConfig, DescribesTheVstRecipe) {
  const ModelConfig model = Model("vst_small");
  EXPECT_EQ(model.recipe, "vst");
  EXPECT_EQ(model.frame_rate, 50);
  EXPECT_EQ(model.power_frame_size, 1024);
  EXPECT_THAT(model.decoder.input_keys(), ElementsAre("pw_scaled", "f0_scaled"));
  EXPECT_EQ(model.graph.nodes_size(), 5);
  EXPECT_EQ(model.graph.nodes(3).name(), "reverb");
  EXPECT_THAT(model.obstacles, IsEmpty());
}

// Its features are those of 16 kHz all the same.
TEST(ModelConfig, DescribesTheVstRecipeAtAnotherRate) {
  const ModelConfig model = Model("vst_small", {"sample_rate = 48000"});
  EXPECT_EQ(model.sample_rate, 48000);
  EXPECT_EQ(model.frame_rate, 50);
  EXPECT_THAT(model.obstacles, IsEmpty());
}

TEST(ModelConfig, DescribesTheSoloRecipe) {
  const ModelConfig model = Model("solo_small");
  EXPECT_EQ(model.recipe, "solo_instrument");
  EXPECT_EQ(model.frame_rate, 250);
  EXPECT_EQ(model.loudness, LoudnessDefinition::kMeanOfPower);
  EXPECT_THAT(model.obstacles, IsEmpty());
}

// Operative configurations name every parameter: one that upstream did not have yet dates the model.
TEST(ModelConfig, TellsTheLoudnessOfOldModels) {
  const auto text = ReadFile(Fixture("solo_small") + "/operative_config-0.gin");
  ASSERT_TRUE(text.ok());
  std::string old = *text;
  const std::string line = "F0LoudnessPreprocessor.compute_loudness = True\n";
  old.erase(old.find(line), line.size());
  const auto config = gin::ParseConfig(old);
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(ReadModelConfig(*config)->loudness, LoudnessDefinition::kMeanOfDb);
}

TEST(ModelConfig, SaysWhatCannotBePlayedLive) {
  EXPECT_THAT(Model("vst_small", {"sample_rate = 96000"}).obstacles, Contains(HasSubstr("96000 Hz")));
  EXPECT_THAT(Model("solo_small", {"Harmonic.sample_rate = 48000"}).obstacles, Contains(HasSubstr("48000 Hz")));
  EXPECT_THAT(Model("vst_small", {"Harmonic.scale_fn = @tf.nn.sigmoid"}).obstacles,
              Contains(HasSubstr("tf.nn.sigmoid")));
  EXPECT_THAT(Model("solo_small", {"RnnFcDecoder.rnn_type = 'lstm'"}).obstacles, Contains(HasSubstr("lstm")));
}

TEST(ModelConfig, NamesClassesThatItDoesNotKnow) {
  auto config = gin::ReadConfig(Fixture("vst_small") + "/operative_config-0.gin");
  ASSERT_TRUE(config.ok());
  ASSERT_TRUE(gin::Override({"Autoencoder.decoder = @decoders.MyDecoder()"}, &*config).ok());
  const auto model = ReadModelConfig(*config);
  EXPECT_EQ(model.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(model.status().message(), HasSubstr("@decoders.MyDecoder"));
}

TEST(ModelConfig, NamesParametersOfAnotherType) {
  auto config = gin::ReadConfig(Fixture("vst_small") + "/operative_config-0.gin");
  ASSERT_TRUE(config.ok());
  ASSERT_TRUE(gin::Override({"RnnFcDecoder.ch = 'many'"}, &*config).ok());
  EXPECT_THAT(ReadModelConfig(*config).status().message(), AllOf(HasSubstr("RnnFcDecoder.ch"), HasSubstr("many")));
}

TEST(CheckpointMap, TakesEveryVariableAndFillsEveryParameter) {
  for (const auto& [name, steps] : {std::pair{"solo_small", 4}, {"vst_small", 4}, {"solo_legacy_slots", 3}}) {
    const ModelConfig model = Model(name);
    const auto imported = Weights(name, model);
    ASSERT_TRUE(imported.ok()) << imported.status();
    EXPECT_EQ(imported->weights.size(), model.variables.size());
    EXPECT_EQ(imported->steps, steps);
  }
}

TEST(CheckpointMap, ListsWhatIsLeftOverAndWhatIsLeftOut) {
  const std::string deeper =
      Weights("vst_small", Model("vst_small", {"RnnFcDecoder.layers_per_stack = 2"})).status().ToString();
  EXPECT_THAT(deeper, HasSubstr("no variable fills the parameter 'decoder/out_stack/layer_with_weights-1"));
  const std::string shallower =
      Weights("solo_small", Model("solo_small", {"RnnFcDecoder.layers_per_stack = 1"})).status().ToString();
  EXPECT_THAT(shallower, HasSubstr("no parameter of the model takes the variable 'model/decoder/out_stack/"));
  const std::string wider = Weights("vst_small", Model("vst_small", {"RnnFcDecoder.ch = 17"})).status().ToString();
  EXPECT_THAT(wider, AllOf(HasSubstr("has shape [16], the model's has [17]"), HasSubstr("dense_out/kernel")));
}

TEST(CheckpointMap, KnowsTheKeysOfBothOptimizers) {
  EXPECT_EQ(Classify("model/decoder/dense_out/bias/.ATTRIBUTES/VARIABLE_VALUE").path, "decoder/dense_out/bias");
  for (const char* key :
       {"model/decoder/dense_out/bias/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE",
        "optimizer/_variables/3/.ATTRIBUTES/VARIABLE_VALUE", "optimizer/iter/.ATTRIBUTES/VARIABLE_VALUE"}) {
    EXPECT_EQ(Classify(key).use, VariableUse::kOptimizerState) << key;
  }
  EXPECT_EQ(Classify("model/critic/bias/.ATTRIBUTES/VARIABLE_VALUE").use, VariableUse::kUnknown);
}

TEST(TrainingDirectory, TakesTheCheckpointThatTheStateNames) {
  TemporaryDirectory directory;
  directory.CopyFixture("vst_small");
  directory.Write("ckpt-9.index", "");
  auto found = FindTrainingFiles(directory.path());
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->checkpoint, directory / "ckpt-4");
  std::filesystem::remove(directory / "checkpoint");
  EXPECT_EQ(FindTrainingFiles(directory.path())->checkpoint, directory / "ckpt-9");
  EXPECT_EQ(FindTrainingFiles(directory / "ckpt-4")->checkpoint, directory / "ckpt-4");
  EXPECT_EQ(found->statistics, directory / "dataset_statistics.pkl");
}

TEST(TrainingDirectory, NamesWhatIsMissing) {
  TemporaryDirectory directory;
  EXPECT_THAT(FindTrainingFiles(directory.path()).status().message(), HasSubstr("no checkpoint"));
  directory.Write("ckpt-1.index", "");
  EXPECT_THAT(FindTrainingFiles(directory.path()).status().message(), HasSubstr("operative_config"));
}

}  // namespace
}  // namespace ddsp::importer
