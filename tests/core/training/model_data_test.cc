#include "core/training/model_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/file.h"
#include "core/datasets/example_set_writer.h"
#include "core/training/dataset.h"
#include "tests/support/test_voice.h"

namespace ddsp::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 16000;

// A recording whose sample i is i and whose frame t, of 50 a second, has power t; voiced throughout.
Dataset Ramp(int64_t seconds) {
  std::vector<float> audio(seconds * kSecond);
  for (size_t i = 0; i < audio.size(); ++i) audio[i] = static_cast<float>(i);
  Recording recording{"ramp.wav", std::move(audio), std::vector<FeatureFrame>(seconds * 50 + 1)};
  for (size_t t = 0; t < recording.frames.size(); ++t) recording.frames[t] = {440, 0.5f, true, -20, 1.0f * t};
  Dataset dataset;
  dataset.recordings.push_back(std::move(recording));
  return dataset;
}

std::vector<float> Row(const at::Tensor& values, int64_t row, int64_t count) {
  const at::Tensor part = values[row].narrow(0, 0, count).contiguous();
  return {part.data_ptr<float>(), part.data_ptr<float>() + count};
}

class ModelDataTest : public ::testing::Test {
 protected:
  ModelDataTest() { EXPECT_TRUE(WriteShards(path_, Ramp(40)).ok()); }
  const ddsp::testing::TempDir folder_;
  const std::string path_ = folder_.path() + "/prepared";
};

TEST_F(ModelDataTest, RecordingsAreCutAsUpstreamsSets) {
  const auto data = OpenModelData(path_, DataPart::kTraining);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ((*data)->sample_rate(), 16000);
  EXPECT_GT((*data)->size(), 25);  // 36 s are left, a window of 4 s each second
  const auto batch = (*data)->Batch({0, 3});
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(batch->at("audio").sizes(), at::IntArrayRef({2, 64000}));
  for (const char* const name : {"f0_hz", "f0_confidence", "loudness_db", "power_db"}) {
    EXPECT_EQ(batch->at(name).sizes(), at::IntArrayRef({2, 1000})) << name;
  }
  EXPECT_THAT(Row(batch->at("audio"), 1, 2), ElementsAre(3 * kSecond, 3 * kSecond + 1));
  // Frames between those of the data set are between them.
  EXPECT_THAT(Row(batch->at("power_db"), 1, 6),
              ElementsAre(150, ::testing::FloatNear(150.2, 1e-4), ::testing::FloatNear(150.4, 1e-4),
                          ::testing::FloatNear(150.6, 1e-4), ::testing::FloatNear(150.8, 1e-4), 151));
  EXPECT_EQ(batch->at("f0_hz").max().item<float>(), 440);
  EXPECT_EQ((*data)->Batch({(*data)->size()}).status().code(), absl::StatusCode::kOutOfRange);
}

// No sample of the one part is in the other.
TEST_F(ModelDataTest, WhatIsHeldOutIsNotTrainedOn) {
  const auto training = *OpenModelData(path_, DataPart::kTraining),
             held_out = *OpenModelData(path_, DataPart::kHeldOut);
  float last = 0;
  for (int64_t i = 0; i < training->size(); ++i) {
    last = std::max(last, training->Batch({i})->at("audio").max().item<float>());
  }
  ASSERT_GT(held_out->size(), 0);
  const float first = held_out->Batch({0})->at("audio").min().item<float>();
  EXPECT_LT(last, first);
  EXPECT_NE(training->Describe(), held_out->Describe());
}

TEST_F(ModelDataTest, ASetOfExamplesHasNoParts) {
  ExampleSetWriter writer = *ExampleSetWriter::Open(folder_.path() + "/examples", {.recipe = "test"});
  ASSERT_TRUE(writer.Add({{"x", at::arange(5, at::kFloat)}}).ok());
  ASSERT_TRUE(writer.Finish().ok());
  for (const DataPart part : {DataPart::kTraining, DataPart::kHeldOut}) {
    const auto data = OpenModelData(folder_.path() + "/examples", part);
    ASSERT_TRUE(data.ok()) << data.status();
    EXPECT_EQ((*data)->size(), 5);
    EXPECT_EQ((*data)->Batch({4})->at("x").item<float>(), 4);
  }
}

TEST_F(ModelDataTest, SaysWhatItMissed) {
  const absl::Status none = OpenModelData(folder_.path(), DataPart::kTraining).status();
  EXPECT_EQ(none.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(none.message()), HasSubstr("neither a set of examples nor"));
  EXPECT_THAT(std::string(none.message()), HasSubstr(folder_.path()));
  Dataset all = Ramp(40);
  all.examples.held_out_fraction = 0;
  const std::string untouched = folder_.path() + "/untouched";
  ASSERT_TRUE(WriteShards(untouched, all).ok());
  const absl::Status nothing = OpenModelData(untouched, DataPart::kHeldOut).status();
  EXPECT_EQ(nothing.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(nothing.message()), HasSubstr("held out"));
}

}  // namespace
}  // namespace ddsp::training
