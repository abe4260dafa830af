#include "core/datasets/synthetic_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/file.h"
#include "core/datasets/example_set.h"
#include "core/datasets/example_set_writer.h"
#include "core/datasets/feature_ranges.h"

namespace ddsp {
namespace {

using ::testing::HasSubstr;

SyntheticSetSettings Small() {
  SyntheticSetSettings settings;
  settings.num_examples = 20;
  settings.notes = {.n_timesteps = 50, .n_harmonics = 6, .n_mags = 5};
  settings.example_secs = 0.1;
  settings.shard_bytes = 6000;
  return settings;
}

class SyntheticSetTest : public ::testing::Test {
 protected:
  std::string Directory(const std::string& name) const {
    const std::string path = ::testing::TempDir() + "synthetic_set_" + name;
    std::filesystem::remove_all(path);
    return path;
  }
  static absl::Status Write(const SyntheticSetSettings& settings, const std::string& directory) {
    return WriteSyntheticSet(settings, directory, [](double) {});
  }
};

// An example does not depend on how many there are, nor on what was stored beside it, and an interrupted run goes on.
TEST_F(SyntheticSetTest, AnExampleIsAFunctionOfSeedAndNumber) {
  SyntheticSetSettings settings = Small();
  const std::string all = Directory("all"), some = Directory("some");
  ASSERT_TRUE(Write(settings, all).ok());
  settings.num_examples = 3;
  settings.audio = NotesAudio::kStored;
  ASSERT_TRUE(Write(settings, some).ok());
  const ExampleSet whole = ExampleSet::Open(all).value(), part = ExampleSet::Open(some).value();
  EXPECT_GT(whole.index().shards.size(), 1);
  EXPECT_EQ(part.Batch({2})->at("audio").sizes(), (std::vector<int64_t>{1, 1600}));
  EXPECT_TRUE(at::equal(whole.Batch({2})->at("harm_dist"), part.Batch({2})->at("harm_dist")));
  EXPECT_FALSE(at::equal(whole.Batch({2})->at("harm_dist"), whole.Batch({3})->at("harm_dist")));
}

TEST_F(SyntheticSetTest, GoesOnWhereItWasInterrupted) {
  const std::string whole = Directory("whole"), resumed = Directory("resumed");
  ASSERT_TRUE(Write(Small(), whole).ok());
  // What there is when the second shard has been written and nothing else.
  const ExampleIndex all = ReadExampleIndex(whole).value();
  ExampleIndex index = all;
  index.state = ExampleSetState::kUnfinished;
  index.shards.resize(2);
  std::filesystem::create_directories(resumed);
  for (const ExampleShard& shard : index.shards) std::filesystem::copy(whole + "/" + shard.file, resumed);
  ASSERT_TRUE(WriteExampleIndex(resumed, index).ok());
  ASSERT_TRUE(Write(Small(), resumed).ok());
  for (const ExampleShard& shard : all.shards)
    EXPECT_EQ(ReadFile(whole + "/" + shard.file).value(), ReadFile(resumed + "/" + shard.file).value()) << shard.file;
}

TEST_F(SyntheticSetTest, OfOtherSettingsIsNotMixedIn) {
  const std::string directory = Directory("mixed");
  ASSERT_TRUE(Write(Small(), directory).ok());
  SyntheticSetSettings other = Small();
  other.seed = 43;
  EXPECT_TRUE(absl::IsAlreadyExists(Write(other, directory)));
}

TEST_F(SyntheticSetTest, SettingsThatMakeNoSenseLeaveNothingBehind) {
  const std::string directory = Directory("nothing");
  SyntheticSetSettings settings = Small();
  settings.notes.p_silent = 2;
  EXPECT_THAT(std::string(Write(settings, directory).message()), HasSubstr("p_silent is 2"));
  settings = Small();
  settings.notes.n_timesteps = 51;
  settings.audio = NotesAudio::kStored;
  EXPECT_THAT(std::string(Write(settings, directory).message()), HasSubstr("n_timesteps is 51"));
  EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST_F(SyntheticSetTest, RangesAreThoseOfAllExamples) {
  const std::string directory = Directory("ranges");
  ASSERT_TRUE(Write(Small(), directory).ok());
  const ExampleSet set = ExampleSet::Open(directory).value();
  std::vector<int64_t> all(set.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
  const at::Tensor amps = set.Batch(all)->at("harm_amp");
  const FeatureRange range = MeasureFeatures(set)->at("harm_amp");
  EXPECT_EQ(range.min, amps.min().item<double>());
  EXPECT_EQ(range.max, amps.max().item<double>());
  EXPECT_NEAR(range.mean, amps.mean().item<double>(), 1e-6);
}

}  // namespace
}  // namespace ddsp
