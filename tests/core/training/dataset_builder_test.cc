#include "core/training/dataset_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numbers>

#include "core/base/file.h"
#include "core/base/wav.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class DatasetBuilderTest : public testing::Test {
 protected:
  DatasetBuilderTest()
      : folder_(testing::TempDir() + "/builder_" + testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }

  // A harmonic tone.
  void Write(const std::string& name, double seconds, int rate = 16000, double amplitude = 0.2, double hz = 330) {
    Wav wav{rate, 1, std::vector<float>(static_cast<size_t>(seconds * rate))};
    for (size_t i = 0; i < wav.samples.size(); ++i) {
      const double phase = 2 * std::numbers::pi * hz * i / rate;
      wav.samples[i] =
          static_cast<float>(amplitude * (std::sin(phase) + 0.5 * std::sin(2 * phase) + 0.25 * std::sin(3 * phase)));
    }
    fs::create_directories(fs::path(folder_ + "/" + name).parent_path());
    ASSERT_TRUE(WriteWav(folder_ + "/" + name, wav, WavEncoding::kPcm16).ok());
  }

  absl::StatusOr<Dataset> Build(BuildOptions options = {}) { return BuildDataset(folder_, options); }

  const std::string folder_;
};

TEST_F(DatasetBuilderTest, ReadsAFolderInOrderAtTheModelsRate) {
  Write("b.wav", 1.0, 44100);
  Write("sub/a.WAV", 2.0);
  Write(".hidden/c.wav", 1.0);
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/notes.txt", "not audio").ok());
  const auto dataset = Build();
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  ASSERT_EQ(dataset->recordings.size(), 2);
  EXPECT_EQ(dataset->recordings[0].name, "b.wav");
  EXPECT_EQ(dataset->recordings[1].name, "sub/a.WAV");
  EXPECT_EQ(dataset->recordings[0].audio.size(), 16000);
  EXPECT_EQ(dataset->recordings[0].frames.size(), 51);
  EXPECT_NEAR(dataset->recordings[0].frames[25].f0_hz, 330, 2);
  EXPECT_NEAR(dataset->recordings[1].frames[50].f0_hz, 330, 2);
  EXPECT_GT(dataset->voiced_seconds(), 2.5);
}

TEST_F(DatasetBuilderTest, ReadsOneFile) {
  Write("only.wav", 1.0);
  const auto dataset = BuildDataset(folder_ + "/only.wav", {});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->recordings[0].name, "only.wav");
}

TEST_F(DatasetBuilderTest, LeavesOutWhatIsHeldOutHoweverItIsSpelt) {
  Write("train.wav", 1.0);
  Write("test.wav", 1.0);
  Write("later/x.wav", 1.0);
  BuildOptions options;
  options.exclude = folder_ + "/later/../test.wav";
  EXPECT_EQ(Build(options)->recordings.size(), 2);
  options.exclude = folder_ + "/later/";
  const auto dataset = Build(options);
  ASSERT_EQ(dataset->recordings.size(), 2);
  EXPECT_EQ(dataset->recordings[0].name, "test.wav");
}

TEST_F(DatasetBuilderTest, AnEmptyFolderIsAnErrorThatNamesIt) {
  const absl::Status status = Build().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder_));
  EXPECT_THAT(std::string(status.message()), HasSubstr("no recordings"));
}

TEST_F(DatasetBuilderTest, AMissingFolderIsAnErrorThatNamesIt) {
  const absl::Status status = BuildDataset(folder_ + "/nowhere", {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("nowhere"));
}

TEST_F(DatasetBuilderTest, AFileThatIsNoAudioIsAnErrorThatNamesIt) {
  Write("good.wav", 1.0);
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/bad.wav", "this is text").ok());
  const absl::Status status = Build().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("bad.wav"));
}

TEST_F(DatasetBuilderTest, ASilentFolderHasNothingVoiced) {
  Write("silence.wav", 30, 16000, 0.0);
  const auto dataset = Build();
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  const absl::Status status = CheckVoiced(*dataset);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("0.0 s of voiced material"));
}

TEST_F(DatasetBuilderTest, ShardsStandInUntilARecordingChanges) {
  Write("a.wav", 1.0);
  const std::string cache = folder_ + "/../" + fs::path(folder_).filename().string() + "_cache";
  fs::remove_all(cache);
  int reads = 0;
  BuildOptions options;
  options.progress = [&](double done) { reads += done == 1; };
  ASSERT_TRUE(BuildOrReadDataset(folder_, options, cache).ok());
  const auto again = BuildOrReadDataset(folder_, options, cache);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(reads, 1) << "the second time from shards";
  EXPECT_EQ(again->recordings[0].audio.size(), 16000);
  Write("b.wav", 1.0);
  EXPECT_EQ(BuildOrReadDataset(folder_, options, cache)->recordings.size(), 2);
  options.settings.min_f0_hz = 100;
  ASSERT_TRUE(BuildOrReadDataset(folder_, options, cache).ok());
  EXPECT_EQ(reads, 3) << "another recording, other settings";
}

}  // namespace
}  // namespace ddsp::training
