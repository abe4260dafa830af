#include "core/importer/parameter_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/gin/reader.h"
#include "tests/core/importer/fixtures.h"

namespace ddsp::importer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// The parameters of a fixture, to be written in another way.
class ParameterFile : public ::testing::Test {
 protected:
  ParameterFile()
      : model_(ReadModelConfig(*gin::ReadConfig(Fixture("vst_small") + "/operative_config-0.gin")).value()),
        weights_(ReadWeights(*TensorBundle::Open(FixturePrefix("vst_small")), model_)->weights) {}

  SafetensorsWriter Writer(const std::string& prefix = "", const std::string& suffix = "") const {
    SafetensorsWriter writer;
    for (const auto& [path, weight] : weights_)
      writer.AddFloats(prefix + path + suffix, weight.shape, weight.values.data());
    return writer;
  }
  absl::StatusOr<ImportedWeights> Read(const SafetensorsWriter& writer) const {
    return ReadWeights(*Safetensors::Parse(writer.Format()), model_, "the file");
  }
  std::string Complaint(const SafetensorsWriter& writer) const { return std::string(Read(writer).status().message()); }

  const ModelConfig model_;
  const std::map<std::string, ImportedWeight> weights_;
  const std::string bias_ = "decoder/dense_out/bias";
};

TEST_F(ParameterFile, TakesPathsAndWholeKeys) {
  SafetensorsWriter keys = Writer("model/", "/.ATTRIBUTES/VARIABLE_VALUE");
  const float zero = 0;
  keys.AddFloats("optimizer/_variables/1/.ATTRIBUTES/VARIABLE_VALUE", {1}, &zero);
  for (const SafetensorsWriter& writer : {Writer(), keys}) {
    const auto read = Read(writer);
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_EQ(read->weights.size(), weights_.size());
    for (const auto& [path, weight] : weights_) EXPECT_EQ(read->weights.at(path).values, weight.values) << path;
  }
}

TEST_F(ParameterFile, ListsAllThatDoesNotFit) {
  SafetensorsWriter writer = Writer();
  const std::vector<float> two = {1, 2};
  writer.AddFloats("critic/bias", {2}, two.data());
  writer.AddFloats(bias_, {2}, two.data());
  EXPECT_THAT(Complaint(writer), AllOf(HasSubstr("the file does not fit its configuration"),
                                       HasSubstr("no parameter of the model takes the variable 'critic/bias'"),
                                       HasSubstr("variable 'decoder/dense_out/bias' has shape [2], the model's has")));
  EXPECT_THAT(Complaint(SafetensorsWriter()), HasSubstr("no variable fills the parameter 'decoder/dense_out/bias'"));
}

TEST_F(ParameterFile, OneParameterUnderTwoNamesIsAnError) {
  SafetensorsWriter writer = Writer();
  const ImportedWeight& bias = weights_.at(bias_);
  writer.AddFloats("model/" + bias_ + "/.ATTRIBUTES/VARIABLE_VALUE", bias.shape, bias.values.data());
  EXPECT_THAT(Complaint(writer), HasSubstr("are one parameter"));
}

TEST_F(ParameterFile, RefusesValuesThatAreNotFinite) {
  for (const float bad : {NAN, INFINITY}) {
    SafetensorsWriter writer = Writer();
    ImportedWeight bias = weights_.at(bias_);
    bias.values[3] = bad;
    writer.AddFloats(bias_, bias.shape, bias.values.data());
    EXPECT_THAT(Complaint(writer), HasSubstr("the file: value 3 of 'decoder/dense_out/bias' is"));
  }
}

TEST_F(ParameterFile, RefusesIntegers) {
  SafetensorsWriter writer = Writer();
  const ImportedWeight& bias = weights_.at(bias_);
  writer.Add(bias_, DType::kU8, bias.shape, std::string(bias.values.size(), '\0'));
  EXPECT_THAT(Complaint(writer), HasSubstr("'decoder/dense_out/bias' has type U8, expected floats"));
}

// Under names that say whose they are, a wrong voice would be made of them.
TEST_F(ParameterFile, SaysWhyWeightsOfDdspPytorchAreRefused) {
  for (const std::string name : {"in_mlps.0.0.weight", "ddsp.proj_matrices.1.bias", "out_mlp.0.weight"}) {
    SafetensorsWriter writer;
    const float zero = 0;
    writer.AddFloats(name, {1}, &zero);
    EXPECT_TRUE(absl::IsUnimplemented(Read(writer).status()));
    EXPECT_THAT(Complaint(writer), AllOf(HasSubstr(name), HasSubstr("slope of 0.01 instead of 0.2")));
  }
}

TEST_F(ParameterFile, ReadsStepsAndStatisticsOfItsMetadata) {
  SafetensorsWriter writer = Writer();
  EXPECT_FALSE(StatisticsOf(*Safetensors::Parse(writer.Format())).has_value());
  writer.SetMetadata("steps", "4000");
  writer.SetMetadata("statistics/mean_pitch", "61.5");
  EXPECT_EQ(Read(writer)->steps, 4000);
  EXPECT_EQ(StatisticsOf(*Safetensors::Parse(writer.Format()))->numbers.at("mean_pitch"), 61.5);
  writer.SetMetadata("steps", "many");
  EXPECT_THAT(Complaint(writer), HasSubstr("'steps' is 'many'"));
}

}  // namespace
}  // namespace ddsp::importer
