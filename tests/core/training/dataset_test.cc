#include "core/training/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "core/base/file.h"
#include "core/training/dataset_statistics.h"
#include "core/training/dataset_writer.h"
#include "core/training/example_windows.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kSecond = 16000;

// A recording whose sample i is i and whose frame t has power -t / 1000; voiced throughout.
Recording Ramp(std::string name, int64_t samples) {
  std::vector<float> audio(samples);
  for (int64_t i = 0; i < samples; ++i) audio[i] = static_cast<float>(i);
  Recording recording{std::move(name), std::move(audio), std::vector<FeatureFrame>(samples / 320 + 1)};
  for (size_t t = 0; t < recording.frames.size(); ++t) recording.frames[t] = {440, 0.9f, true, -20, -0.001f * t};
  return recording;
}

Dataset Ramps(const std::vector<double>& seconds) {
  Dataset dataset;
  for (size_t r = 0; r < seconds.size(); ++r) {
    dataset.recordings.push_back(
        Ramp("take-" + std::to_string(r) + ".wav", static_cast<int64_t>(seconds[r] * kSecond)));
  }
  return dataset;
}

std::string FreshFolder(const std::string& name) {
  const std::string folder = testing::TempDir() + "/dataset_test_" + name;
  fs::remove_all(folder);
  return folder;
}

TEST(DatasetShards, ComeBackAsTheyWere) {
  Dataset dataset = Ramps({2.5, 1, 3});
  dataset.settings.min_f0_hz = 80;
  dataset.fingerprint = "abc";
  const std::string folder = FreshFolder("round_trip");
  ASSERT_TRUE(WriteShards(folder, dataset, /*shard_bytes=*/150000).ok());  // two recordings in the first shard
  EXPECT_TRUE(fs::exists(folder + "/shard-00001.safetensors"));
  const auto read = ReadShards(folder);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->settings, dataset.settings);
  EXPECT_EQ(read->fingerprint, "abc");
  ASSERT_EQ(read->recordings.size(), 3);
  for (size_t r = 0; r < 3; ++r) {
    EXPECT_EQ(read->recordings[r].name, dataset.recordings[r].name);
    EXPECT_EQ(read->recordings[r].audio, dataset.recordings[r].audio);
    ASSERT_EQ(read->recordings[r].frames.size(), dataset.recordings[r].frames.size());
    EXPECT_EQ(read->recordings[r].frames[7].power_db, dataset.recordings[r].frames[7].power_db);
    EXPECT_EQ(read->recordings[r].frames[7].voiced, true);
  }
}

TEST(DatasetShards, AreNotThereUntilAllAreWritten) {
  const std::string folder = FreshFolder("incomplete");
  ASSERT_TRUE(WriteShards(folder, Ramps({1})).ok());
  fs::remove(folder + "/dataset.safetensors");
  EXPECT_EQ(ReadShards(folder).status().code(), absl::StatusCode::kNotFound);
}

TEST(DatasetShards, DamageIsNamed) {
  const std::string folder = FreshFolder("damaged");
  ASSERT_TRUE(WriteShards(folder, Ramps({1})).ok());
  std::string bytes = ReadFile(folder + "/shard-00000.safetensors").value();
  ASSERT_TRUE(WriteFileAtomically(folder + "/shard-00000.safetensors", bytes.substr(0, bytes.size() / 2)).ok());
  const absl::Status status = ReadShards(folder).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("shard-00000"));
}

TEST(DatasetMeasures, CountVoicedFramesAlone) {
  Dataset dataset = Ramps({30});
  for (size_t t = 0; t < 500; ++t) dataset.recordings[0].frames[t].voiced = false;
  EXPECT_NEAR(dataset.seconds(), 30, 1e-9);
  EXPECT_NEAR(dataset.voiced_seconds(), 20.02, 1e-9);
  EXPECT_TRUE(CheckVoiced(dataset).ok());
  dataset.recordings[0].frames[500].voiced = dataset.recordings[0].frames[501].voiced = false;
  const absl::Status status = CheckVoiced(dataset);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("20.0 s of voiced material"));
}

TEST(MaterialProfile, DescribesPitchAndPower) {
  const auto material = MeasureMaterial(Ramps({30}));
  ASSERT_TRUE(material.ok()) << material.status();
  EXPECT_NEAR(material->profile.mean_pitch_midi, 69, 1e-4);
  EXPECT_NEAR(material->min_pitch_midi, 69, 1e-4);
  EXPECT_NEAR(material->profile.power_quantiles_db.front(), -1.5, 1e-4);
  EXPECT_NEAR(material->profile.power_quantiles_db.back(), 0, 1e-4);
}

TEST(DatasetShards, ALongListOfNamesStartsAnotherShard) {
  Dataset dataset;
  for (int r = 0; r < 300; ++r) dataset.recordings.push_back(Ramp(std::string(200, 'x') + std::to_string(r), 320));
  const std::string folder = FreshFolder("names");
  ASSERT_TRUE(WriteShards(folder, dataset).ok());
  EXPECT_TRUE(fs::exists(folder + "/shard-00001.safetensors")) << "the room of a header is limited";
  const auto read = ReadShards(folder);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->recordings.size(), 300);
  EXPECT_EQ(read->recordings[299].name, dataset.recordings[299].name);
}

TEST(DatasetWriter, KeepsThePartThatIsWantedAndNothingThatWasDropped) {
  const std::string folder = FreshFolder("writer");
  auto writer = DatasetWriter::Create(folder);
  ASSERT_TRUE(writer.ok()) << writer.status();
  const std::vector<float> audio(1000, 0.5f), other(640, 0.25f);
  ASSERT_TRUE((*writer)->Begin("dropped").ok() && (*writer)->Append(audio).ok() && (*writer)->Drop().ok());
  ASSERT_TRUE((*writer)->Begin("cut").ok() && (*writer)->Append(audio).ok());
  ASSERT_TRUE((*writer)->End(640, std::vector<FeatureFrame>(3)).ok());
  ASSERT_TRUE((*writer)->Begin("last").ok() && (*writer)->Append(other).ok());
  ASSERT_TRUE((*writer)->End(640, std::vector<FeatureFrame>(3)).ok());
  ASSERT_TRUE((*writer)->Begin("too late").ok() && (*writer)->Append(audio).ok() && (*writer)->Drop().ok());
  ASSERT_TRUE((*writer)->Finish(Dataset()).ok());
  const auto read = ReadShards(folder);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->recordings.size(), 2);
  EXPECT_EQ(read->recordings[0].name, "cut");
  EXPECT_EQ(read->recordings[0].audio, SharedArray<float>(std::vector<float>(640, 0.5f)));
  EXPECT_EQ(read->recordings[1].audio, SharedArray<float>(other));
}

TEST(DatasetWriter, LeavesOtherFilesAlone) {
  const std::string folder = FreshFolder("others");
  fs::create_directories(folder);
  ASSERT_TRUE(WriteFileAtomically(folder + "/notes.txt", "mine").ok());
  ASSERT_TRUE(WriteShards(folder, Ramps({1, 1}), /*shard_bytes=*/1).ok());
  ASSERT_TRUE(WriteShards(folder, Ramps({1})).ok());
  EXPECT_TRUE(fs::exists(folder + "/notes.txt"));
  EXPECT_FALSE(fs::exists(folder + "/shard-00001.safetensors")) << "of the set before";
}

TEST(DatasetWriter, AnUnfinishedShardGoesWithItsWriter) {
  const std::string folder = FreshFolder("unfinished");
  {
    auto writer = DatasetWriter::Create(folder);
    ASSERT_TRUE((*writer)->Begin("a").ok() && (*writer)->Append(std::vector<float>(1000)).ok());
  }
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST(DatasetStatistics, MeasureWhatIsThere) {
  Dataset dataset = Ramps({30, 20});
  dataset.warnings = {{"take-0.wav", "clipped"}};
  for (size_t t = 0; t <= 500; ++t) dataset.recordings[0].frames[t] = {440, 0, false, -80, -80};
  const DatasetStatistics statistics = MeasureDataset(dataset);
  EXPECT_NEAR(statistics.seconds, 50, 1e-9);
  EXPECT_NEAR(statistics.voiced_seconds, 40.02, 1e-9);
  EXPECT_NEAR(statistics.pitch_midi.mean, 69, 1e-4);
  EXPECT_NEAR(statistics.pitch_midi.deviation, 0, 1e-4);
  EXPECT_NEAR(statistics.voiced_loudness_db.mean, -20, 1e-4);
  EXPECT_NEAR(statistics.loudness_db.min, -80, 1e-4);
  EXPECT_EQ(statistics.power_db.quantiles.size(), 101);
  EXPECT_NEAR(statistics.power_db.quantiles[100], 0, 1e-4);
  EXPECT_NEAR(statistics.held_out_seconds, 5, 0.1) << "the last tenth of each, for there are few";
  const std::string json = statistics.ToJson();
  EXPECT_THAT(json, AllOf(HasSubstr("\"voiced_seconds\": 40.02"), HasSubstr("\"text\": \"clipped\"")));
  EXPECT_THAT(statistics.ToTable(), HasSubstr("warning: take-0.wav: clipped"));
}

TEST(DatasetStatistics, OfSilenceAreZeros) {
  Dataset dataset = Ramps({5});
  for (FeatureFrame& frame : dataset.recordings[0].frames) frame = {440, 0, false, -80, -80};
  const DatasetStatistics statistics = MeasureDataset(dataset);
  EXPECT_EQ(statistics.pitch_midi.mean, 0);
  EXPECT_TRUE(statistics.pitch_midi.quantiles.empty());
  EXPECT_EQ(statistics.training_examples, 0);
  EXPECT_THAT(statistics.ToTable(), HasSubstr("0.0 s of it voiced"));
}

// Upstream: chunks of 20 s, the last one filled up, each with windows of 4 s every second: 17 of them.
TEST(ListWindows, ChunksAreUpstreams) {
  Dataset dataset = Ramps({60, 25});
  dataset.examples.chunk_secs = 20;
  const auto windows = ListWindows(dataset, WholeRecordings(dataset), WindowsOf(dataset));
  std::vector<double> first, second;
  for (const Segment& window : windows.windows) {
    EXPECT_EQ(window.end - window.begin, 4 * kSecond);
    (window.recording == 0 ? first : second).push_back(static_cast<double>(window.begin) / kSecond);
  }
  ASSERT_EQ(first.size(), 3 * 17);
  EXPECT_EQ(first[16], 16);
  EXPECT_EQ(first[17], 20) << "none crosses the border of a chunk";
  // The second recording's last chunk has 5 s of sound; windows that are nearly all silence are left out.
  EXPECT_EQ(second.size() + windows.silent, 2 * 17);
  EXPECT_EQ(second.back(), 24);
}

TEST(ListWindows, ChunksDoNotReachIntoTheHeldOutPart) {
  Dataset dataset = Ramps({100});
  dataset.examples.chunk_secs = 20;
  const DataSplit split = SplitDataset(dataset, SplitOf(dataset));
  ASSERT_EQ(split.held_out.size(), 1);
  const auto windows = ListWindows(dataset, split.training, WindowsOf(dataset)).windows;
  ASSERT_FALSE(windows.empty());
  for (const Segment& window : windows) EXPECT_LE(window.end + 4 * kSecond, split.held_out[0].begin);
}

// Samples between two segments of one recording; negative when they overlap.
int64_t Distance(const Segment& a, const Segment& b) { return std::max(b.begin - a.end, a.begin - b.end); }

TEST(SplitDataset, FewRecordingsAreSplitByTimeWithAGapOfAWindow) {
  const Dataset dataset = Ramps({100, 60, 3});
  const DataSplit split = SplitDataset(dataset, {});
  for (const Segment& training : split.training) {
    for (const Segment& held_out : split.held_out) {
      if (training.recording != held_out.recording) continue;
      EXPECT_GE(Distance(training, held_out), 4 * kSecond);
    }
  }
  EXPECT_THAT(split.held_out,
              ElementsAre(Segment{0, 90 * kSecond, 100 * kSecond}, Segment{1, 54 * kSecond, 60 * kSecond}));
  EXPECT_EQ(split.training.back(), (Segment{2, 0, 3 * kSecond})) << "too short to be split";
}

TEST(SplitDataset, ManyRecordingsAreHeldOutWhole) {
  const Dataset dataset = Ramps(std::vector<double>(20, 10.0));
  const DataSplit split = SplitDataset(dataset, {});
  EXPECT_EQ(split.held_out.size(), 2);
  EXPECT_EQ(split.training.size(), 18);
  std::set<int> held_out;
  for (const Segment& segment : split.held_out) held_out.insert(segment.recording);
  for (const Segment& segment : split.training) EXPECT_FALSE(held_out.contains(segment.recording));
}

TEST(SplitDataset, AnotherRecordingMovesNoneFromHeldOutToTrainingWithoutNeed) {
  Dataset dataset = Ramps(std::vector<double>(20, 10.0));
  std::set<std::string> before;
  for (const Segment& s : SplitDataset(dataset, {}).held_out) before.insert(dataset.recordings[s.recording].name);
  dataset.recordings.push_back(Ramp("another.wav", 10 * kSecond));
  int kept = 0;
  for (const Segment& s : SplitDataset(dataset, {}).held_out)
    kept += before.contains(dataset.recordings[s.recording].name);
  EXPECT_GE(kept, 1);
}

// No training window shares a sample with held-out material, or lies nearer than the gap, whatever the lengths.
TEST(ListWindows, NothingLeaks) {
  for (const double seconds : {5.0, 41.3, 77.77, 260.0}) {
    const Dataset dataset = Ramps({seconds, seconds / 2});
    const DataSplit split = SplitDataset(dataset, {});
    for (const Segment& window : ListWindows(dataset, split.training, {}).windows) {
      for (const Segment& held_out : split.held_out) {
        if (window.recording != held_out.recording) continue;
        EXPECT_GE(Distance(window, held_out), 4 * kSecond) << seconds;
      }
    }
  }
}

TEST(ListWindows, FollowsUpstreamsArithmetic) {
  const Dataset dataset = Ramps({20, 4.5, 2});
  const ExampleWindows examples = ListWindows(dataset, WholeRecordings(dataset), {});
  ASSERT_EQ(examples.windows.size(), 17 + 1 + 1) << "17 examples of a chunk of 20 s";
  EXPECT_EQ(examples.windows[16], (Segment{0, 16 * kSecond, 20 * kSecond}));
  EXPECT_EQ(examples.windows[17], (Segment{1, 0, 4 * kSecond}));
  EXPECT_EQ(examples.windows[18], (Segment{2, 0, 4 * kSecond})) << "a short recording is filled up";
}

TEST(ListWindows, LeavesOutSilence) {
  Dataset dataset = Ramps({20});
  for (size_t t = 0; t < 500; ++t) dataset.recordings[0].frames[t] = {440, 0, false, -80, -80};
  const ExampleWindows examples = ListWindows(dataset, WholeRecordings(dataset), {});
  EXPECT_EQ(examples.silent, 7) << "windows that begin at 0 to 6 s";
  EXPECT_EQ(examples.windows.size(), 10);
}

TEST(CopyWindow, LinesFramesUpWithSamples) {
  const Dataset dataset = Ramps({10});
  const Segment window{0, 3 * kSecond, 7 * kSecond};
  std::vector<float> audio(4 * kSecond);
  CopyAudio(dataset, window, audio.data());
  EXPECT_EQ(audio.front(), 3 * kSecond);
  EXPECT_EQ(audio.back(), 7 * kSecond - 1);
  const std::vector<FeatureFrame> frames = CopyFrames(dataset, window);
  ASSERT_EQ(frames.size(), 201);
  EXPECT_FLOAT_EQ(frames.front().power_db, -0.150f);
  EXPECT_FLOAT_EQ(frames.back().power_db, -0.350f);
}

TEST(CopyWindow, IsSilentBeyondTheEnd) {
  const Dataset dataset = Ramps({2});
  std::vector<float> audio(4 * kSecond, 1.0f);
  CopyAudio(dataset, {0, 0, 4 * kSecond}, audio.data());
  EXPECT_THAT(std::vector<float>(audio.begin() + 2 * kSecond, audio.end()), Each(0.0f));
  const std::vector<FeatureFrame> frames = CopyFrames(dataset, {0, 0, 4 * kSecond});
  EXPECT_TRUE(frames[100].voiced);
  EXPECT_FALSE(frames[101].voiced);
  EXPECT_EQ(frames[101].power_db, -80);
  EXPECT_EQ(frames[200].f0_hz, 440) << "pitch is held";
}

TEST(ShuffledOrder, EveryEpochIsAnotherPermutation) {
  ShuffledOrder order(7, 100);
  std::vector<int64_t> first, second;
  for (int64_t position = 0; position < 100; ++position) first.push_back(order.At(position));
  for (int64_t position = 100; position < 200; ++position) second.push_back(order.At(position));
  EXPECT_EQ(std::set<int64_t>(first.begin(), first.end()).size(), 100);
  EXPECT_EQ(std::set<int64_t>(second.begin(), second.end()).size(), 100);
  EXPECT_NE(first, second);
}

TEST(ShuffledOrder, APositionSaysAll) {
  ShuffledOrder whole(7, 100), resumed(7, 100);
  std::vector<int64_t> expected;
  for (int64_t position = 0; position < 1000; ++position) expected.push_back(whole.At(position));
  for (int64_t position = 555; position < 1000; ++position) EXPECT_EQ(resumed.At(position), expected[position]);
}

TEST(ShuffledOrder, IsFair) {
  // Where example 0 comes first, over many epochs: mean 49.5, standard error 0.9.
  ShuffledOrder order(3, 100);
  double sum = 0;
  for (int64_t position = 0; position < 100 * 1000; ++position) {
    if (order.At(position) == 0) sum += static_cast<double>(position % 100);
  }
  EXPECT_NEAR(sum / 1000, 49.5, 4);
}

}  // namespace
}  // namespace ddsp::training
