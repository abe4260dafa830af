#include "core/training/dataset_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>

#include "absl/strings/str_cat.h"
#include "core/audio/audio_file.h"
#include "core/audio/file_resampler.h"
#include "core/base/file.h"
#include "core/base/wav.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

auto Remark(const std::string& name, const std::string& part) {
  return AllOf(Field(&RecordingRemark::name, name), Field(&RecordingRemark::text, HasSubstr(part)));
}

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

  // A melody of harmonic tones whose intervals are no simple ratios, a pure function of its arguments.
  static std::vector<float> Notes(int part, double seconds) {
    std::vector<float> audio(static_cast<size_t>(seconds * 16000));
    double phase = 0;
    for (size_t i = 0; i < audio.size(); ++i) {
      const int note = static_cast<int>(i / 4000) * (part == 1 ? 5 : 7) % 12;
      phase += 2 * std::numbers::pi * (part == 1 ? 220 : 331) * std::exp2(note / 12.0) / 16000;
      for (int k = 1; k <= 8; ++k) audio[i] += static_cast<float>(0.2 / k * std::sin(k * phase));
    }
    return audio;
  }

  absl::StatusOr<Dataset> Build(BuildOptions options = {}) { return BuildDataset(folder_, options); }

  const std::string folder_;
};

TEST_F(DatasetBuilderTest, ReadsAFolderInOrderAtTheModelsRate) {
  Write("b.wav", 1.0, 44100);
  Write("sub/deep/er/a.WAV", 2.0);
  Write(".hidden/c.wav", 1.0);
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/notes.txt", "not audio").ok());
  const auto dataset = Build();
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  ASSERT_EQ(dataset->recordings.size(), 2);
  EXPECT_EQ(dataset->recordings[0].name, "b.wav");
  EXPECT_EQ(dataset->recordings[1].name, "sub/deep/er/a.WAV");
  EXPECT_EQ(dataset->recordings[0].audio.size(), 16000);
  EXPECT_EQ(dataset->recordings[0].frames.size(), 51);
  EXPECT_NEAR(dataset->recordings[0].frames[25].f0_hz, 330, 2);
  EXPECT_NEAR(dataset->recordings[1].frames[50].f0_hz, 330, 2);
  EXPECT_GT(dataset->voiced_seconds(), 2.5);
}

// What is kept is of the rate that is asked for, what is heard is the same at every one.
TEST_F(DatasetBuilderTest, KeepsAudioAtOtherRatesWithTheSameFeatures) {
  Write("a.wav", 1.37, 48000);
  Write("b.wav", 2.0003, 44100, 0.2, 440);
  const auto narrow = Build();
  ASSERT_TRUE(narrow.ok()) << narrow.status();
  for (const int rate : {24000, 44100, 48000}) {
    BuildOptions options;
    options.sample_rate = rate;
    const auto wide = BuildDatasetIn(folder_ + "/.set" + std::to_string(rate), folder_, options);
    ASSERT_TRUE(wide.ok()) << wide.status();
    EXPECT_EQ(wide->sample_rate, rate);
    EXPECT_EQ(wide->hop(), rate / 50);
    EXPECT_NEAR(wide->seconds(), narrow->seconds(), 1e-3);
    for (size_t r = 0; r < 2; ++r) {
      const Recording &one = narrow->recordings[r], &other = wide->recordings[r];
      ASSERT_EQ(other.frames.size(), other.audio.size() / wide->hop() + 1);
      ASSERT_EQ(other.frames.size(), one.frames.size());
      for (size_t t = 0; t < one.frames.size(); ++t) EXPECT_EQ(other.frames[t].f0_hz, one.frames[t].f0_hz) << t;
      const std::vector<float> down = *ResampleFile(other.audio.span(), rate, 16000);
      for (size_t n = 1000; n + 1000 < one.audio.size(); ++n) ASSERT_NEAR(down[n], one.audio[n], 2e-3) << n;
    }
    EXPECT_THAT(*IsUpToDate(folder_ + "/.set" + std::to_string(rate), folder_, options), true);
    EXPECT_THAT(*IsUpToDate(folder_ + "/.set" + std::to_string(rate), folder_, {}), false);
  }
}

TEST_F(DatasetBuilderTest, TellsOfRecordingsBelowTheRate) {
  Write("low.wav", 1.0, 16000);
  Write("right.wav", 1.1, 48000);
  BuildOptions options;
  options.sample_rate = 48000;
  const auto dataset = Build(options);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT(dataset->warnings, ElementsAre(Remark("low.wav", "nothing above 8000 Hz is in it")));
}

TEST_F(DatasetBuilderTest, RefusesARateThatFramesDoNotDivide) {
  Write("a.wav", 1.0);
  for (const int rate : {7000, 44110, 96000}) {
    BuildOptions options;
    options.sample_rate = rate;
    EXPECT_EQ(Build(options).status().code(), absl::StatusCode::kInvalidArgument) << rate;
    EXPECT_THAT(std::string(Build(options).status().message()), HasSubstr(absl::StrCat("sample rate ", rate)));
  }
}

TEST_F(DatasetBuilderTest, ReadsOneFile) {
  Write("only.wav", 1.0);
  const auto dataset = BuildDataset(folder_ + "/only.wav", {});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->recordings[0].name, "only.wav");
}

TEST_F(DatasetBuilderTest, LeavesOutWhatIsHeldOutHoweverItIsSpelt) {
  Write("train.wav", 1.0);
  Write("test.wav", 1.1);
  Write("later/x.wav", 1.2);
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

TEST_F(DatasetBuilderTest, OneBadFileAmongManyIsSkippedAndNamed) {
  Write("good.wav", 1.0);
  Write("short.wav", 0.3);
  Write("silent.wav", 2.0, 16000, 0.0);
  Write("sub/copy.wav", 1.0);
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/bad.wav", "this is text").ok());
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/empty.flac", "").ok());
  const auto dataset = Build();
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  ASSERT_EQ(dataset->recordings.size(), 1);
  EXPECT_EQ(dataset->recordings[0].name, "good.wav");
  EXPECT_THAT(dataset->skipped,
              ElementsAre(Remark("bad.wav", "is no audio file"), Remark("empty.flac", "empty (0 bytes)"),
                          Remark("short.wav", "lasts 0.30 s"), Remark("silent.wav", "is silent"),
                          Remark("sub/copy.wav", "the same samples as good.wav")));
}

TEST_F(DatasetBuilderTest, WhenNoneIsLeftTheErrorHasEveryReason) {
  Write("silent.wav", 2.0, 16000, 0.0);
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/bad.wav", "this is text").ok());
  const absl::Status status = Build().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(folder_), HasSubstr("bad.wav: is no audio file"), HasSubstr("silent.wav: is silent")));
  EXPECT_THAT(std::string(BuildDataset(folder_ + "/bad.wav", {}).status().message()), HasSubstr("is no audio file"));
}

TEST_F(DatasetBuilderTest, ASampleThatIsNoNumberSkipsItsRecording) {
  Write("a.wav", 1.0);
  Wav wav{16000, 1, std::vector<float>(100000, 0.1f)};
  wav.samples[99999] = std::numeric_limits<float>::infinity();
  ASSERT_TRUE(WriteWav(folder_ + "/b.wav", wav).ok());
  Write("c.wav", 2.0);
  // On disk too, where a part of it was written already.
  const auto dataset = BuildDatasetIn(folder_ + "_set", folder_, {});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT(dataset->skipped, ElementsAre(Remark("b.wav", "sample 99999 is inf")));
  ASSERT_EQ(dataset->recordings.size(), 2);
  EXPECT_EQ(dataset->recordings[1].name, "c.wav");
  EXPECT_EQ(dataset->recordings[1].audio, BuildDataset(folder_ + "/c.wav", {})->recordings[0].audio);
}

TEST_F(DatasetBuilderTest, ClippedAndPolyphonicRecordingsAreWarnedOf) {
  Write("clean.wav", 3.0);
  Write("clipped.wav", 3.0, 16000, 2.0);
  const std::vector<float> low = Notes(1, 3), high = Notes(2, 3);
  Wav chord{16000, 1, low};
  for (size_t i = 0; i < low.size(); ++i) chord.samples[i] = 0.5f * (low[i] + high[i]);
  ASSERT_TRUE(WriteWav(folder_ + "/melody.wav", {16000, 1, low}).ok());
  ASSERT_TRUE(WriteWav(folder_ + "/two.wav", chord).ok());
  const auto dataset = Build();
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->recordings.size(), 4) << "a warning leaves nothing out";
  EXPECT_THAT(dataset->warnings,
              ElementsAre(Remark("clipped.wav", "clipped: "), Remark("two.wav", "more than one note at a time")));
}

TEST_F(DatasetBuilderTest, SilenceAtTheEndsIsCutOff) {
  Wav wav{16000, 1, std::vector<float>(10 * 16000)};
  for (size_t i = 3 * 16000; i < 6 * 16000; ++i) wav.samples[i] = static_cast<float>(0.3 * std::sin(i * 0.13));
  ASSERT_TRUE(WriteWav(folder_ + "/a.wav", wav).ok());
  const auto dataset = Build();
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  const Recording& recording = dataset->recordings[0];
  EXPECT_NEAR(static_cast<double>(recording.audio.size()) / 16000, 4.0, 0.1) << "half a second at either end is kept";
  ASSERT_EQ(recording.frames.size(), recording.audio.size() / 320 + 1);
  // Frames still belong to their samples.
  size_t first = 0;
  while (recording.audio[first] == 0) ++first;
  EXPECT_LT(recording.frames[(first - 1200) / 320].power_db, -70);
  EXPECT_GT(recording.frames[(first + 1600) / 320].power_db, -20);
  BuildOptions whole;
  whole.intake.kept_silence_s = 100;
  EXPECT_EQ(Build(whole)->recordings[0].audio.size(), 160000);
}

// The oracle: the whole file at once.
TEST_F(DatasetBuilderTest, BlocksGiveWhatTheWholeFileGives) {
  Write("a.wav", 7.3, 44100);
  BuildOptions options;
  options.intake.kept_silence_s = 100;
  const auto dataset = Build(options);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  const AudioFile file = ReadAudioFile(folder_ + "/a.wav").value();
  const std::vector<float> audio = ResampleFile(file.samples, 44100, 16000).value();
  const std::vector<FeatureFrame> frames = FeatureExtractor::Create({}).value()->Extract(audio);
  const Recording& recording = dataset->recordings[0];
  ASSERT_EQ(recording.audio.size(), audio.size());
  for (size_t i = 0; i < audio.size(); ++i) ASSERT_NEAR(recording.audio[i], audio[i], 1e-7) << i;
  ASSERT_EQ(recording.frames.size(), frames.size());
  for (size_t t = 0; t < frames.size(); ++t) {
    EXPECT_NEAR(recording.frames[t].f0_hz, frames[t].f0_hz, 1e-2);
    EXPECT_NEAR(recording.frames[t].power_db, frames[t].power_db, 1e-3);
  }
}

TEST_F(DatasetBuilderTest, ASetRemembersHowItIsCutAndWhatWasSkipped) {
  Write("a.wav", 6.0);
  Write("b.wav", 0.2);
  BuildOptions options;
  options.examples = {2, 0.5, 10, 0.25};
  ASSERT_TRUE(BuildDatasetIn(folder_ + "_set", folder_, options).ok());
  EXPECT_TRUE(IsDataset(folder_ + "_set"));
  EXPECT_FALSE(IsDataset(folder_));
  const auto set = ReadShards(folder_ + "_set");
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->examples, options.examples);
  EXPECT_THAT(set->skipped, ElementsAre(Remark("b.wav", "too short")));
  EXPECT_TRUE(IsUpToDate(folder_ + "_set", folder_, options).value());
  options.examples.hop_secs = 1;
  EXPECT_FALSE(IsUpToDate(folder_ + "_set", folder_, options).value());
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
  Write("b.wav", 1.5);
  EXPECT_EQ(BuildOrReadDataset(folder_, options, cache)->recordings.size(), 2);
  options.settings.min_f0_hz = 100;
  ASSERT_TRUE(BuildOrReadDataset(folder_, options, cache).ok());
  EXPECT_EQ(reads, 3) << "another recording, other settings";
}

}  // namespace
}  // namespace ddsp::training
