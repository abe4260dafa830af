// From a folder of recordings to a voice that loads.
#include "core/training/train_voice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numbers>

#include "core/base/file.h"
#include "core/base/wav.h"
#include "core/streaming/voice_loader.h"
#include "core/training/checkpoint.h"
#include "core/training/checkpoint_voice.h"
#include "core/training/dataset_builder.h"

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class TrainVoiceTest : public testing::Test {
 protected:
  TrainVoiceTest()
      : folder_(testing::TempDir() + "/train_voice_" + testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
    fs::create_directories(folder_ + "/takes");
    options_.recordings = folder_ + "/takes";
    options_.bundle = folder_ + "/voices/tone/3";
    options_.trainer.directory = folder_ + "/work";
    options_.trainer.steps = 3;
    options_.trainer.batch_size = 2;
    options_.trainer.log_steps = 1;
    options_.exporting.label = {"tone", 3, "A tone.", "CC0-1.0", "Nobody"};
    options_.command = "ddsp train takes";
    events_.say = [](const std::string&) {};
    events_.step = [this](const TrainingProgress& progress) {
      last_step_ = progress.step;
      return progress.step == stop_at_ ? TrainerVerdict::kStop : TrainerVerdict::kContinue;
    };
  }

  // Notes of a second with rests between them.
  void Write(const std::string& name, double seconds, double amplitude = 0.2) {
    Wav wav{16000, 1, std::vector<float>(static_cast<size_t>(seconds * 16000))};
    double phase = 0;
    for (size_t i = 0; i < wav.samples.size(); ++i) {
      const double t = i / 16000.0, hz = 220 * std::exp2(std::fmod(std::floor(t), 5) * 2 / 12);
      phase += 2 * std::numbers::pi * hz / 16000;
      const double envelope = std::fmod(t, 1.0) < 0.95 ? 1 : 0.01;
      wav.samples[i] = static_cast<float>(amplitude * envelope *
                                          (std::sin(phase) + 0.5 * std::sin(2 * phase) + 0.3 * std::sin(3 * phase)));
    }
    ASSERT_TRUE(WriteWav(folder_ + "/takes/" + name, wav, WavEncoding::kPcm16).ok());
  }

  absl::StatusOr<TrainVoiceResult> Train() { return TrainVoice(options_, events_); }

  const std::string folder_;
  TrainVoiceOptions options_;
  TrainVoiceEvents events_;
  int64_t stop_at_ = -1, last_step_ = 0;
};

TEST_F(TrainVoiceTest, MakesAVoiceThatLoads) {
  Write("a.wav", 60);
  const auto result = Train();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(result->stopped);
  EXPECT_NEAR(result->evaluation.seconds, 6, 0.1) << "the last tenth";
  EXPECT_GT(result->evaluation.spectral_loss, 1);

  const auto voice = LoadVoice(options_.bundle);  // the golden audio included
  ASSERT_TRUE(voice.ok()) << voice.status();
  EXPECT_EQ((*voice)->id(), "tone/3");
  EXPECT_EQ((*voice)->spec.licence(), "CC0-1.0");
  EXPECT_EQ((*voice)->spec.latency_samples(), 832);
  EXPECT_NEAR((*voice)->spec.profile().mean_pitch_midi(), 61, 0.5);
  EXPECT_EQ((*voice)->golden.input.size(), 32000);

  const std::string card = ReadFile(options_.bundle + ".md").value();
  for (const char* part : {"ddsp train takes", "CC0-1.0", "Nobody", "60.0 s", "spectral loss", "3 in"}) {
    EXPECT_THAT(card, HasSubstr(part));
  }
  EXPECT_THAT(ReadFile(folder_ + "/work/report.json").value(), HasSubstr("\"f0_l1_semitones\""));
  EXPECT_EQ(Train().status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(TrainVoiceTest, MakesAVoiceOfAnotherRate) {
  Write("a.wav", 60);
  options_.trainer.step.shape = RecipeShape("vst_24k").value();
  options_.trainer.step.objective = RecipeLoss(24000);
  options_.trainer.steps = 1;
  options_.example_steps = 1;
  options_.example_seconds = 1;
  events_.example = [](const ListeningExample& example) {
    EXPECT_EQ(example.sample_rate, 24000);
    EXPECT_EQ(example.rendered.size(), 24000);
    return absl::OkStatus();
  };
  const auto result = Train();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_NEAR(result->evaluation.seconds, 6, 0.1);
  EXPECT_THAT(result->warnings, testing::ElementsAre(testing::Field(&RecordingRemark::text, HasSubstr("8000 Hz"))));
  const auto voice = LoadVoice(options_.bundle);
  ASSERT_TRUE(voice.ok()) << voice.status();
  EXPECT_EQ((*voice)->spec.recipe(), "vst_24k");
  EXPECT_EQ((*voice)->spec.sample_rate_hz(), 24000);
  EXPECT_EQ((*voice)->spec.latency_samples(), 1248);
  EXPECT_EQ((*voice)->golden.input.size(), 48000);

  // Its checkpoint is of its rate, and wants material of it.
  const auto checkpoint = OpenVoiceCheckpoint(options_.trainer.directory);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->shape.sample_rate, 24000);
  EXPECT_EQ(checkpoint->shape.noise_bands, 98);
  BuildOptions build;
  EXPECT_THAT(
      std::string(VoiceOfCheckpoint(*checkpoint, *BuildDataset(options_.recordings, build), {}).status().message()),
      HasSubstr("a checkpoint of 24000 Hz, and material of 16000 Hz"));
  build.sample_rate = 24000;
  ExportOptions exporting;
  exporting.label.name = "again";
  const auto again = VoiceOfCheckpoint(*checkpoint, *BuildDataset(options_.recordings, build), exporting);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->spec.hop_size(), 480);
}

TEST_F(TrainVoiceTest, RefusesADataSetOfAnotherRate) {
  Write("a.wav", 60);
  ASSERT_TRUE(BuildDatasetIn(folder_ + "/set", options_.recordings, {}).ok());
  options_.recordings = folder_ + "/set";
  options_.trainer.step.shape = RecipeShape("vst_48k").value();
  const absl::Status status = Train().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("a data set of 16000 Hz; the recipe wants 48000 Hz"));
}

TEST_F(TrainVoiceTest, StopsAndGoesOn) {
  Write("a.wav", 60);
  stop_at_ = 1;
  const auto stopped = Train();
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  EXPECT_TRUE(stopped->stopped);
  EXPECT_FALSE(fs::exists(options_.bundle));
  stop_at_ = -1;
  std::vector<std::string> said;
  events_.say = [&](const std::string& line) { said.push_back(line); };
  ASSERT_TRUE(Train().ok());
  EXPECT_THAT(said, testing::Contains(HasSubstr("going on from step 1")));
  EXPECT_TRUE(fs::exists(options_.bundle + "/MANIFEST.textproto"));
}

TEST_F(TrainVoiceTest, TellsOfEachCheckpointAndPlaysExamples) {
  Write("a.wav", 60);
  options_.trainer.checkpoint_interval = absl::ZeroDuration();  // one after each step
  options_.example_steps = 2;
  options_.example_seconds = 1.5;
  std::vector<int64_t> saved, played;
  events_.checkpoint = [&](int64_t step, const std::string& path) {
    EXPECT_TRUE(ReadCheckpoint(path, options_.trainer.step.shape).ok()) << path;
    saved.push_back(step);
    return absl::OkStatus();
  };
  events_.example = [&](const ListeningExample& example) {
    EXPECT_EQ(example.name, "a.wav");
    EXPECT_GE(example.begin_s, 54);
    EXPECT_EQ(example.original.size(), 24000);
    EXPECT_EQ(example.rendered.size(), 24000);
    played.push_back(example.step);
    return absl::OkStatus();
  };
  ASSERT_TRUE(Train().ok());
  EXPECT_THAT(saved, testing::ElementsAre(1, 2, 3, 3));
  EXPECT_THAT(played, testing::ElementsAre(2, 3));
}

TEST_F(TrainVoiceTest, AnEventThatFailsEndsTheRun) {
  Write("a.wav", 60);
  options_.example_steps = 1;
  events_.example = [](const ListeningExample&) { return absl::ResourceExhaustedError("no room for the example"); };
  EXPECT_EQ(Train().status().message(), "no room for the example");
  events_.example = nullptr;
  events_.checkpoint = [](int64_t, const std::string&) { return absl::AbortedError("the lease is lost"); };
  EXPECT_EQ(Train().status().message(), "the lease is lost");
}

TEST_F(TrainVoiceTest, HeldOutRecordingsAreNotTrainedOn) {
  Write("a.wav", 30);
  Write("test.wav", 10);
  options_.held_out = folder_ + "/takes/test.wav";
  std::vector<std::string> said;
  events_.say = [&](const std::string& line) { said.push_back(line); };
  const auto result = Train();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(said, testing::Contains(HasSubstr("1 recordings, 30.0 s")));
  EXPECT_NEAR(result->evaluation.seconds, 10, 0.01);
}

TEST_F(TrainVoiceTest, TooLittleVoicedMaterialIsAnErrorThatSaysHowMuch) {
  Write("a.wav", 12);
  const absl::Status status = Train().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/takes: found 1"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("at least 20 s"));
}

TEST_F(TrainVoiceTest, ASilentFolderIsAnError) {
  Write("a.wav", 60, 0.0);
  const absl::Status status = Train().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("a.wav: is silent: nothing in its 60.0 s"));
}

TEST_F(TrainVoiceTest, AnEmptyFolderIsAnError) { EXPECT_EQ(Train().status().code(), absl::StatusCode::kNotFound); }

}  // namespace
}  // namespace ddsp::training
