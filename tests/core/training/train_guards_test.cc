// What a training survives, and what it leaves behind where it does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numbers>

#include "core/base/file.h"
#include "core/base/safetensors.h"
#include "core/base/wav.h"
#include "core/streaming/voice_loader.h"
#include "core/training/checkpoint.h"
#include "core/training/checkpoint_voice.h"
#include "core/training/dataset_builder.h"
#include "core/training/metrics_log.h"
#include "core/training/train_voice.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

// A network of a few thousand weights on half a minute of notes.
class TrainGuards : public testing::Test {
 protected:
  TrainGuards()
      : folder_(testing::TempDir() + "/train_guards_" + testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
    fs::create_directories(folder_ + "/takes");
    Wav wav{16000, 1, std::vector<float>(30 * 16000)};
    for (size_t i = 0; i < wav.samples.size(); ++i) {
      const double hz = 220 * std::exp2(static_cast<double>(i / 16000 % 5) / 6);
      wav.samples[i] = static_cast<float>(0.2 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / 16000));
    }
    EXPECT_TRUE(WriteWav(folder_ + "/takes/a.wav", wav, WavEncoding::kPcm16).ok());
    options_.recordings = folder_ + "/takes";
    options_.bundle = folder_ + "/voices/tone/1";
    VoiceShape& shape = options_.trainer.step.shape;
    shape.channels = shape.rnn_channels = 16;
    shape.harmonics = 8;
    shape.noise_bands = 9;
    shape.reverb_length = 480;
    shape.reverb_frames = 10;
    shape.reverb_bands = 4;
    options_.trainer.directory = folder_ + "/work";
    options_.trainer.steps = 6;
    options_.trainer.batch_size = 2;
    options_.trainer.log_steps = 1;
    options_.trainer.held_out_steps = 0;
    options_.example_steps = 0;
    options_.exporting.label = {"tone", 1, "A tone.", "CC0-1.0", "Nobody"};
  }

  absl::StatusOr<TrainVoiceResult> Train() { return TrainVoice(options_, events_); }

  const std::string folder_;
  TrainVoiceOptions options_;
  TrainVoiceEvents events_;
};

// A file may not grow beyond a size: a disk that fills up in the middle of it.
class FullDisk {
 public:
  explicit FullDisk(uint64_t bytes) : old_action_(signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    const struct rlimit full = {bytes, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, old_action_);
  }

 private:
  void (*const old_action_)(int);
  struct rlimit before_ = {};
};

// At a learning rate of 1e30 the second step cannot have a finite loss.
TEST_F(TrainGuards, ALossThatIsNotFiniteNamesStepBatchAndCheckpoint) {
  options_.trainer.step.learning_rate.peak = 1e30;
  options_.trainer.step.learning_rate.shape = LearningRate::Shape::kExponential;
  options_.trainer.checkpoint_interval = absl::ZeroDuration();
  const absl::Status status = Train().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("step 1: loss"), HasSubstr("not finite"), HasSubstr("a.wav at "),
                    HasSubstr("the last good checkpoint is " + folder_ + "/work/checkpoints/checkpoint-000000001")));
  const auto batch = Safetensors::Read(folder_ + "/work/bad-batch.safetensors");
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(batch->Get("audio")->shape, (std::vector<int64_t>{2, 64000}));
  EXPECT_FALSE(fs::exists(options_.bundle));
}

TEST_F(TrainGuards, AFullDiskLeavesTheLastCheckpointIntact) {
  options_.trainer.checkpoint_interval = absl::ZeroDuration();
  std::unique_ptr<FullDisk> full;
  events_.checkpoint = [&](int64_t step, const std::string& path) {
    if (step == 3) full = std::make_unique<FullDisk>(fs::file_size(path) / 2);
    return absl::OkStatus();
  };
  const absl::Status status = Train().status();
  full.reset();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("checkpoint-000000004"));
  const std::string checkpoints = folder_ + "/work/checkpoints";
  EXPECT_EQ(ListCheckpoints(checkpoints).size(), 3);
  for (const auto& entry : fs::directory_iterator(checkpoints)) {
    EXPECT_EQ(entry.path().extension(), ".safetensors") << entry.path() << ": nothing half written is left";
  }
  const auto newest = ReadLatestCheckpoint(checkpoints, options_.trainer.step.shape);
  ASSERT_TRUE(newest.ok()) << newest.status();
  EXPECT_EQ(newest->step, 3);
  // With room again the same command goes on.
  events_.checkpoint = nullptr;
  const auto result = Train();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->step, 6);
}

TEST_F(TrainGuards, AFullDiskLeavesNoHalfDataSet) {
  {
    const FullDisk full(1 << 20);
    EXPECT_THAT(std::string(Train().status().message()), HasSubstr("shard-00000.safetensors"));
  }
  EXPECT_FALSE(IsDataset(folder_ + "/work/dataset"));
  EXPECT_TRUE(Train().ok());
}

TEST_F(TrainGuards, TheSameRunGivesTheSameVoice) {
  ASSERT_TRUE(Train().ok());
  const std::string first = ReadFile(options_.bundle + "/weights.safetensors").value();
  options_.bundle = folder_ + "/voices/tone/2";
  options_.trainer.directory = folder_ + "/work2";
  // Stopped and continued on the way.
  events_.step = [](const TrainingProgress& progress) {
    return progress.step == 2 ? TrainerVerdict::kStop : TrainerVerdict::kContinue;
  };
  ASSERT_TRUE(Train()->stopped);
  events_.step = nullptr;
  ASSERT_TRUE(Train().ok());
  EXPECT_EQ(ReadFile(options_.bundle + "/weights.safetensors").value(), first);
}

TEST_F(TrainGuards, StopsEarlyAtALossAndExportsTheVoice) {
  options_.trainer.steps = 1000;
  options_.early_stop_loss = 1e6;
  const auto result = Train();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(result->stopped);
  EXPECT_EQ(result->step, 20) << "a mean over steps needs some";
  EXPECT_TRUE(fs::exists(options_.bundle + "/MANIFEST.textproto"));
}

// Killed between its last checkpoint and its voice.
TEST_F(TrainGuards, AVoiceThatIsMissingAfterAnEarlyStopIsMadeWithoutLearningOn) {
  options_.trainer.steps = 1000;
  options_.early_stop_loss = 1e6;
  ASSERT_TRUE(Train().ok());
  const std::string weights = ReadFile(options_.bundle + "/weights.safetensors").value();
  fs::remove_all(options_.bundle);
  int64_t steps = 0;
  events_.step = [&](const TrainingProgress&) {
    ++steps;
    return TrainerVerdict::kContinue;
  };
  const auto again = Train();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->step, 20);
  EXPECT_EQ(steps, 0);
  EXPECT_EQ(ReadFile(options_.bundle + "/weights.safetensors").value(), weights);
}

TEST_F(TrainGuards, AnInterruptedRunStopsEarlyWhereItWouldHave) {
  options_.trainer.steps = 60;
  std::vector<double> losses;
  events_.step = [&](const TrainingProgress& progress) {
    losses.push_back(progress.loss);
    return progress.step == 35 ? TrainerVerdict::kStop : TrainerVerdict::kContinue;
  };
  ASSERT_TRUE(Train().ok());
  // The loss that is reached first at some step from 20 on.
  options_.early_stop_loss = *std::min_element(losses.begin() + 19, losses.end());
  const auto enough = std::find(losses.begin() + 19, losses.end(), options_.early_stop_loss) - losses.begin() + 1;
  ASSERT_GT(enough, 25) << "of no use: the loss does not fall";
  options_.trainer.directory = folder_ + "/interrupted";
  for (const int64_t stop : {12, 24, -1}) {
    events_.step = [&](const TrainingProgress& progress) {
      return progress.step == stop ? TrainerVerdict::kStop : TrainerVerdict::kContinue;
    };
    const auto result = Train();
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->stopped, stop > 0);
    EXPECT_TRUE(stop > 0 || result->step == enough) << result->step << " instead of " << enough;
  }
}

// At this learning rate a held-out loss gets worse sooner or later.
TEST_F(TrainGuards, StopsWhenNothingGetsBetterAndExportsTheBest) {
  options_.trainer.steps = 200;
  options_.trainer.held_out_steps = 1;
  options_.trainer.step.learning_rate.peak = 0.3;
  options_.trainer.step.learning_rate.shape = LearningRate::Shape::kExponential;
  options_.patience = 3;
  const auto result = Train();
  ASSERT_TRUE(result.ok()) << result.status();
  const std::string logs = options_.trainer.directory + "/logs";
  const auto losses = ReadMetric(logs, "held_out/spectral_loss");
  ASSERT_LT(losses.size(), 200);
  const auto best =
      std::min_element(losses.begin(), losses.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  EXPECT_EQ(result->step, best->first);
  EXPECT_EQ(losses.end() - best, 4) << "the best and three that are not better";
  // The voice is made again without learning on.
  fs::remove_all(options_.bundle);
  const auto again = Train();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->step, result->step);
  EXPECT_EQ(ReadMetric(logs, "held_out/spectral_loss").size(), losses.size());
}

TEST_F(TrainGuards, TrainsOnAPreparedSetAsOnItsRecordings) {
  ASSERT_TRUE(Train().ok());
  const std::string from_folder = ReadFile(options_.bundle + "/weights.safetensors").value();
  ASSERT_TRUE(BuildDatasetIn(folder_ + "/set", folder_ + "/takes", {}).ok());
  options_.recordings = folder_ + "/set";
  options_.bundle = folder_ + "/voices/tone/2";
  options_.trainer.directory = folder_ + "/work2";
  const auto result = Train();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(ReadFile(options_.bundle + "/weights.safetensors").value(), from_folder);
  BuildOptions faster;
  faster.settings.frame_rate = 100;
  ASSERT_TRUE(BuildDatasetIn(folder_ + "/set100", folder_ + "/takes", faster).ok());
  options_.recordings = folder_ + "/set100";
  options_.bundle = folder_ + "/voices/tone/3";
  EXPECT_THAT(std::string(Train().status().message()), HasSubstr("100 frames a second"));
}

TEST_F(TrainGuards, RemarksOfRecordingsAreInTheReport) {
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/takes/letter.wav", "no audio").ok());
  std::vector<std::string> said;
  events_.say = [&](const std::string& line) { said.push_back(line); };
  const auto result = Train();
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->skipped.size(), 1);
  EXPECT_EQ(result->skipped[0].name, "letter.wav");
  EXPECT_THAT(said, testing::Contains(HasSubstr("skipped letter.wav: is no audio file")));
  EXPECT_THAT(ReadFile(folder_ + "/work/report.json").value(), HasSubstr("\"name\": \"letter.wav\""));
}

TEST_F(TrainGuards, ARecordingThatIsAlsoHeldOutIsAnError) {
  fs::create_directories(folder_ + "/test");
  fs::copy_file(folder_ + "/takes/a.wav", folder_ + "/test/copy.wav");
  options_.held_out = folder_ + "/test";
  const absl::Status status = Train().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("copy.wav holds the same samples as a.wav"));
}

TEST_F(TrainGuards, ACheckpointBecomesTheVoiceThatTheRunExports) {
  ASSERT_TRUE(Train().ok());
  const auto checkpoint = OpenVoiceCheckpoint(folder_ + "/work");
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->checkpoint.step, 6);
  EXPECT_EQ(checkpoint->shape.harmonics, 8);
  EXPECT_EQ(DatasetOfRun(checkpoint->path), folder_ + "/work/dataset");
  const Dataset material = ReadShards(DatasetOfRun(checkpoint->path)).value();
  const auto voice = VoiceOfCheckpoint(*checkpoint, material, options_.exporting);
  ASSERT_TRUE(voice.ok()) << voice.status();
  const auto exported = LoadVoice(options_.bundle);
  ASSERT_TRUE(exported.ok()) << exported.status();
  for (const auto& [name, weight] : (*exported)->weights) {
    EXPECT_EQ(voice->weights.at(name).values, weight.values) << name;
  }
}

TEST(ShapeOfRun, ReadsWhatRunsWrite) {
  TrainerOptions options;
  options.step.shape = RecipeShape("solo_instrument").value();
  options.step.shape.noise_bias = -4.5;
  const auto shape = ShapeOfRun(options.Describe());
  ASSERT_TRUE(shape.ok()) << shape.status();
  EXPECT_EQ(shape->recipe, Recipe::kSoloInstrument);
  EXPECT_EQ(shape->hop, 64);
  EXPECT_EQ(shape->reverb_length, 48000);
  EXPECT_EQ(shape->noise_bias, -4.5);
  EXPECT_EQ(ShapeOfRun(TrainerOptions().Describe())->channels, 256);
  for (const char* other :
       {"", "rate exponential 0.001", "shape 1/2/3 bias -5/-3", "shape a/b/c/d/e/f/g/h/i/j bias 1/2"}) {
    EXPECT_EQ(ShapeOfRun(other).status().code(), absl::StatusCode::kInvalidArgument) << other;
  }
}

}  // namespace
}  // namespace ddsp::training
