#include "core/datasets/example_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/file.h"
#include "core/datasets/example_set_writer.h"

namespace ddsp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Example i has pitch [i, i + .5] and level [[i]].
NamedTensors Examples(int64_t first, int64_t count) {
  const at::Tensor i = at::arange(first, first + count, at::kFloat).unsqueeze(-1);
  return {{"pitch", at::cat({i, i + 0.5}, 1)}, {"level", i.unsqueeze(-1)}};
}

class ExampleSetTest : public ::testing::Test {
 protected:
  ExampleSetTest() { std::filesystem::remove_all(directory_); }

  // Three examples of 12 bytes make a shard.
  ExampleSetWriter::Options options() const { return {"counting", 16000, 250, 36}; }
  ExampleSetWriter Writer() { return ExampleSetWriter::Open(directory_, options()).value(); }
  void WriteSet(int64_t count) {
    ExampleSetWriter writer = Writer();
    ASSERT_TRUE(writer.Add(Examples(0, count)).ok());
    ASSERT_TRUE(writer.Finish().ok());
  }
  absl::Status OpenStatus() { return ExampleSet::Open(directory_).status(); }

  const std::string directory_ =
      ::testing::TempDir() + "example_set_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(ExampleSetTest, GivesExamplesInTheOrderAskedForAcrossShards) {
  WriteSet(8);
  const ExampleSet set = ExampleSet::Open(directory_).value();
  EXPECT_EQ(set.size(), 8);
  EXPECT_EQ(set.index().shards.size(), 3);
  EXPECT_THAT(set.names(), ElementsAre("level", "pitch"));
  const NamedTensors batch = set.Batch({7, 0, 3, 3}).value();
  EXPECT_TRUE(at::equal(batch.at("level").flatten(), at::tensor({7.f, 0.f, 3.f, 3.f})));
  EXPECT_EQ(batch.at("level").sizes(), (std::vector<int64_t>{4, 1, 1}));
  EXPECT_TRUE(at::equal(batch.at("pitch")[2], at::tensor({3.f, 3.5f})));
}

TEST_F(ExampleSetTest, SaysWhichIndexIsOutOfRange) {
  WriteSet(2);
  const ExampleSet set = ExampleSet::Open(directory_).value();
  EXPECT_THAT(std::string(set.Batch({0, 2}).status().message()), HasSubstr("example 2 of a data set of 2"));
  EXPECT_TRUE(absl::IsOutOfRange(set.Batch({-1}).status()));
  EXPECT_EQ(set.Batch({}).value().at("pitch").size(0), 0);
}

// However an interrupted run was cut, going on gives the files of an uninterrupted one.
TEST_F(ExampleSetTest, AnUnfinishedSetIsRefusedAndGoesOn) {
  for (const int64_t interrupted_at : {1, 3, 4, 7}) {
    std::filesystem::remove_all(directory_);
    { ASSERT_TRUE(Writer().Add(Examples(0, interrupted_at)).ok()); }
    EXPECT_FALSE(OpenStatus().ok());
    ExampleSetWriter writer = Writer();
    EXPECT_EQ(writer.size(), interrupted_at / 3 * 3);
    ASSERT_TRUE(writer.Add(Examples(writer.size(), 8 - writer.size())).ok());
    ASSERT_TRUE(writer.Finish().ok());
    const ExampleSet set = ExampleSet::Open(directory_).value();
    EXPECT_TRUE(at::equal(set.Batch({0, 1, 2, 3, 4, 5, 6, 7}).value().at("pitch"), Examples(0, 8).at("pitch")));
  }
}

TEST_F(ExampleSetTest, LeavesOtherSetsAlone) {
  { ASSERT_TRUE(Writer().Add(Examples(0, 3)).ok()); }
  ExampleSetWriter::Options other = options();
  other.recipe = "guessing";
  EXPECT_TRUE(absl::IsAlreadyExists(ExampleSetWriter::Open(directory_, other).status()));
  ASSERT_TRUE(Writer().Finish().ok());
  EXPECT_TRUE(absl::IsAlreadyExists(ExampleSetWriter::Open(directory_, options()).status()));
}

TEST_F(ExampleSetTest, RefusesExamplesThatDoNotFit) {
  ExampleSetWriter writer = Writer();
  ASSERT_TRUE(writer.Add(Examples(0, 2)).ok());
  NamedTensors examples = Examples(2, 2);
  examples["pitch"] = at::zeros({2, 3});
  EXPECT_THAT(std::string(writer.Add(examples).message()), HasSubstr("'pitch' is [3], [2] in the examples before"));
  examples = Examples(2, 2);
  examples.erase("level");
  EXPECT_THAT(std::string(writer.Add(examples).message()), HasSubstr("'level' is missing from example 2"));
  examples["level"] = at::full({2, 1, 1}, NAN);
  EXPECT_THAT(std::string(writer.Add(examples).message()), HasSubstr("not finite"));
  EXPECT_EQ(writer.size(), 2);
}

TEST_F(ExampleSetTest, RefusesSetsWithoutExamples) {
  EXPECT_TRUE(absl::IsFailedPrecondition(Writer().Finish()));
  EXPECT_TRUE(absl::IsNotFound(OpenStatus()));
}

TEST_F(ExampleSetTest, NamesTheShardThatDoesNotFitTheIndex) {
  WriteSet(5);
  std::filesystem::copy_file(directory_ + "/examples-00000.safetensors", directory_ + "/examples-00001.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(std::string(OpenStatus().message()),
              HasSubstr("examples-00001.safetensors: 'level' is F32 [3, 1, 1], the index says F32 [2, 1, 1]"));
  std::filesystem::resize_file(directory_ + "/examples-00000.safetensors", 100);
  EXPECT_THAT(std::string(OpenStatus().message()), HasSubstr("examples-00000.safetensors"));
}

TEST(ExampleIndex, SurvivesWritingAndReading) {
  ExampleIndex index;
  index.recipe = "made \"here\"";
  index.sample_rate = 16000;
  index.frame_rate = 31.25;
  index.features = {{"a", {2, 3}}, {"b", {}}};
  index.shards = {{"x.safetensors", 5}, {"y.safetensors", 1}};
  const ExampleIndex again = ParseExampleIndex(FormatExampleIndex(index)).value();
  EXPECT_EQ(again.recipe, index.recipe);
  EXPECT_EQ(again.frame_rate, 31.25);
  EXPECT_EQ(again.features, index.features);
  EXPECT_EQ(again.examples(), 6);
}

// Each replaces something valid by something that is not, and the message names it.
TEST(ExampleIndex, NamesTheMemberThatIsWrong) {
  ExampleIndex index;
  index.features = {{"a", {2}}};
  index.shards = {{"x.safetensors", 5}};
  const std::string good = FormatExampleIndex(index);
  const std::vector<std::array<std::string, 3>> changes = {
      {"ddsp examples 1", "ddsp examples 2", "'format'"},
      {"\"unfinished\"", "7", "'state'"},
      {"x.safetensors", "../x", "'file'"},
      {"x.safetensors", "/etc/passwd", "'file'"},
      {": 5", ": -5", "'examples'"},
      {"\"frame_rate\": 0.0", "\"frame_rate\": -1", "'frame_rate'"},
      {"\"recipe\": \"\"", "\"recipe\": []", "'recipe'"},
      {"\"a\"", "\"a\": 3, \"b\"", "'a'"}};
  for (const auto& [from, to, member] : changes) {
    std::string bad = good;
    const size_t at = bad.find(from);
    ASSERT_NE(at, std::string::npos) << from << " in " << good;
    const auto index_or = ParseExampleIndex(bad.replace(at, from.size(), to));
    EXPECT_TRUE(absl::IsInvalidArgument(index_or.status())) << bad;
    EXPECT_THAT(std::string(index_or.status().message()), HasSubstr(member)) << bad;
  }
  EXPECT_FALSE(ParseExampleIndex("{").ok());
  EXPECT_FALSE(ParseExampleIndex("[]").ok());
}

}  // namespace
}  // namespace ddsp
