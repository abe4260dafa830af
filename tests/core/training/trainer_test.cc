// Runs of a small model: checkpoints, stop, kill, resume.
#include "core/training/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <torch/torch.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <thread>

#include "core/base/file.h"
#include "core/training/checkpoint.h"

extern char** environ;

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int64_t kSteps = 12;

// Half a minute of a tone that swells.
Dataset SmallDataset() {
  Dataset dataset;
  std::vector<float> audio(30 * 16000);
  for (size_t i = 0; i < audio.size(); ++i) {
    audio[i] = static_cast<float>(0.2 * std::sin(i * 2e-5) * std::sin(i * 2 * M_PI * 330 / 16000));
  }
  Recording recording{"tone.wav", std::move(audio), std::vector<FeatureFrame>(30 * 50 + 1)};
  for (size_t t = 0; t < recording.frames.size(); ++t) {
    recording.frames[t] = {330, 0.9f, true, -20, -30 + 10 * std::sin(0.01f * t)};
  }
  dataset.recordings.push_back(std::move(recording));
  return dataset;
}

TrainerOptions SmallOptions(const std::string& directory) {
  TrainerOptions options;
  options.step.shape.channels = options.step.shape.rnn_channels = 16;
  options.step.shape.harmonics = 8;
  options.step.shape.noise_bands = 9;
  options.step.shape.reverb_length = 480;
  options.step.shape.reverb_frames = 10;
  options.step.shape.reverb_bands = 4;
  options.batch_size = 3;
  options.steps = kSteps;
  options.log_steps = 2;
  options.held_out_steps = 0;
  options.directory = directory;
  options.checkpoint_interval = absl::ZeroDuration();  // after every step
  return options;
}

std::string FreshFolder(const std::string& name) {
  const std::string folder = testing::TempDir() + "/trainer_test_" + name;
  fs::remove_all(folder);
  return folder;
}

std::unique_ptr<Trainer> MakeTrainer(const TrainerOptions& options, const Dataset& dataset) {
  auto trainer = Trainer::Create(options, dataset, ListWindows(dataset, WholeRecordings(dataset), {}).windows, {});
  EXPECT_TRUE(trainer.ok()) << trainer.status();
  return std::move(*trainer);
}

TrainerVerdict Continue(const TrainingProgress&) { return TrainerVerdict::kContinue; }

// Weights after kSteps without a stop.
Parameters Uninterrupted(const std::string& name) {
  const Dataset dataset = SmallDataset();
  const auto trainer = MakeTrainer(SmallOptions(FreshFolder(name)), dataset);
  EXPECT_TRUE(trainer->Run(Continue).ok());
  Parameters weights;
  for (const auto& [key, value] : trainer->model().weights()) weights[key] = value.clone();
  return weights;
}

void ExpectBitEqual(const Parameters& a, const Parameters& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, value] : a) EXPECT_TRUE(at::equal(value, b.at(name))) << name;
}

TEST(Trainer, LearnsTheTone) {
  const Dataset dataset = SmallDataset();
  TrainerOptions options = SmallOptions(FreshFolder("learns"));
  options.steps = 60;
  options.checkpoint_interval = absl::InfiniteDuration();
  options.step.learning_rate.peak = 3e-3;
  const auto trainer = MakeTrainer(options, dataset);
  ASSERT_TRUE(trainer->Run(Continue).ok());
  const auto losses = ReadMetric(options.directory + "/logs", "losses/total_loss");
  ASSERT_EQ(losses.size(), 30);
  EXPECT_LT(losses.back().second, 0.7 * losses.front().second);
}

TEST(Trainer, StopAndResumeIsBitEqualToNoStop) {
  const Dataset dataset = SmallDataset();
  const TrainerOptions options = SmallOptions(FreshFolder("stopped"));
  const auto stop = [](const TrainingProgress& p) {
    return p.step == 5 ? TrainerVerdict::kStop : TrainerVerdict::kContinue;
  };
  ASSERT_TRUE(MakeTrainer(options, dataset)->Run(stop).ok());
  const auto resumed = MakeTrainer(options, dataset);
  EXPECT_EQ(resumed->model().step(), 5);
  ASSERT_TRUE(resumed->Run(Continue).ok());
  ExpectBitEqual(Uninterrupted("unstopped"), resumed->model().weights());
}

TEST(Trainer, GoesOnWithTheLossThatItHad) {
  const Dataset dataset = SmallDataset();
  std::vector<double> losses[2];
  const auto run = [&](const std::string& name, int which, int64_t stop) {
    const auto trainer = MakeTrainer(SmallOptions(testing::TempDir() + "/trainer_test_" + name), dataset);
    return trainer->Run([&](const TrainingProgress& progress) {
      losses[which].push_back(progress.loss);
      return progress.step == stop ? TrainerVerdict::kStop : TrainerVerdict::kContinue;
    });
  };
  FreshFolder("smooth");
  FreshFolder("rough");
  ASSERT_TRUE(run("smooth", 0, -1).ok());
  ASSERT_TRUE(run("rough", 1, 5).ok());
  ASSERT_TRUE(run("rough", 1, -1).ok());
  EXPECT_EQ(losses[0], losses[1]);
}

TEST(Trainer, VariesItsExamplesTheSameWayAfterAStop) {
  const Dataset dataset = SmallDataset();
  TrainerOptions options = SmallOptions(FreshFolder("varied"));
  options.augmentation = {1, 6};
  const auto unstopped = MakeTrainer(options, dataset);
  ASSERT_TRUE(unstopped->Run(Continue).ok());
  options.directory = FreshFolder("varied_stopped");
  const auto stop = [](const TrainingProgress& p) {
    return p.step == 5 ? TrainerVerdict::kStop : TrainerVerdict::kContinue;
  };
  ASSERT_TRUE(MakeTrainer(options, dataset)->Run(stop).ok());
  const auto resumed = MakeTrainer(options, dataset);
  ASSERT_TRUE(resumed->Run(Continue).ok());
  ExpectBitEqual(unstopped->model().weights(), resumed->model().weights());
  // And not as if there were nothing to vary.
  EXPECT_FALSE(at::equal(Uninterrupted("not_varied").at("decoder/dense_out/bias"),
                         unstopped->model().weights().at("decoder/dense_out/bias")));
  options.augmentation = {};
  EXPECT_EQ(Trainer::Create(options, dataset, WholeRecordings(dataset), {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(Trainer, KeepsTheLastCheckpointsOnly) {
  const Dataset dataset = SmallDataset();
  const TrainerOptions options = SmallOptions(FreshFolder("keeps"));
  ASSERT_TRUE(MakeTrainer(options, dataset)->Run(Continue).ok());
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(options.directory + "/checkpoints"))
    names.push_back(entry.path().filename());
  EXPECT_THAT(names,
              testing::UnorderedElementsAre("checkpoint-000000010.safetensors", "checkpoint-000000011.safetensors",
                                            "checkpoint-000000012.safetensors"));
}

TEST(Trainer, ADamagedCheckpointFallsBackToTheOneBefore) {
  const Dataset dataset = SmallDataset();
  const TrainerOptions options = SmallOptions(FreshFolder("damaged"));
  ASSERT_TRUE(MakeTrainer(options, dataset)->Run(Continue).ok());
  const std::string newest = options.directory + "/checkpoints/checkpoint-000000012.safetensors";
  const std::string bytes = ReadFile(newest).value();
  ASSERT_TRUE(WriteFileAtomically(newest, bytes.substr(0, 1000)).ok());
  const auto resumed = MakeTrainer(options, dataset);
  EXPECT_EQ(resumed->model().step(), 11);
  ASSERT_TRUE(resumed->Run(Continue).ok());
  ExpectBitEqual(Uninterrupted("undamaged"), resumed->model().weights());
}

TEST(Trainer, AnotherRunsCheckpointIsRefused) {
  const Dataset dataset = SmallDataset();
  TrainerOptions options = SmallOptions(FreshFolder("other"));
  ASSERT_TRUE(MakeTrainer(options, dataset)->Run(Continue).ok());
  options.seed = 99;
  const absl::Status status = Trainer::Create(options, dataset, WholeRecordings(dataset), {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("seed 99"));
}

TEST(Trainer, NeedsExamples) {
  const Dataset dataset = SmallDataset();
  EXPECT_EQ(Trainer::Create(SmallOptions(FreshFolder("none")), dataset, {}, {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(TrainStep, ReportsALossThatIsNotFiniteAndKeepsTheWeights) {
  const TrainerOptions options = SmallOptions("");
  TrainStep step(options.step, InitialParameters(options.step.shape, 1));
  const Dataset dataset = SmallDataset();
  TrainingBatch batch = MakeBatch(options.step.shape, dataset, {{0, 0, 64000}});
  batch.audio[0][100] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor before = step.weights().at("decoder/dense_out/kernel").clone();
  const auto report = step.Run(batch, DrawNoise(options.step.shape, 1, 0, 0, 1, 201));
  EXPECT_EQ(report.status().code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(at::equal(before, step.weights().at("decoder/dense_out/kernel")));
  EXPECT_EQ(step.step(), 0);
}

TEST(TrainStep, ShardsChangeRoundingAlone) {
  const Dataset dataset = SmallDataset();
  const TrainingBatch batch = MakeBatch({}, dataset, {{0, 0, 64000}, {0, 16000, 80000}, {0, 48000, 112000}});
  std::vector<double> losses;
  for (const int shards : {1, 2, 5}) {
    StepOptions options = SmallOptions("").step;
    options.shards = shards;
    TrainStep step(options, InitialParameters(options.shape, 1));
    losses.push_back(step.Run(batch, DrawNoise(options.shape, 1, 0, 0, 3, 201))->loss);
  }
  EXPECT_NEAR(losses[0], losses[1], 1e-5 * losses[0]);
  EXPECT_NEAR(losses[0], losses[2], 1e-5 * losses[0]);
}

// The child of the next test: trains in the folder that the environment names, for ever.
TEST(TrainerChild, DISABLED_Trains) {
  const Dataset dataset = SmallDataset();
  MakeTrainer(SmallOptions(std::getenv("DDSP_TRAINER_FOLDER")), dataset)
      ->Run([](const TrainingProgress& p) {
        // So that the kill comes before the end.
        if (p.step > 2) std::this_thread::sleep_for(std::chrono::hours(1));
        return TrainerVerdict::kContinue;
      })
      .IgnoreError();
}

TEST(Trainer, KillAndResumeIsBitEqualToNoKill) {
  const TrainerOptions options = SmallOptions(FreshFolder("killed"));
  setenv("DDSP_TRAINER_FOLDER", options.directory.c_str(), 1);
  std::string program = fs::read_symlink("/proc/self/exe"), filter = "--gtest_filter=TrainerChild.*",
              disabled = "--gtest_also_run_disabled_tests";
  char* arguments[] = {program.data(), filter.data(), disabled.data(), nullptr};
  pid_t child = 0;
  ASSERT_EQ(posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environ), 0);
  const std::string checkpoint = options.directory + "/checkpoints/checkpoint-000000002.safetensors";
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (!fs::exists(checkpoint) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));

  const Dataset dataset = SmallDataset();
  const auto resumed = MakeTrainer(options, dataset);
  EXPECT_GE(resumed->model().step(), 2);
  EXPECT_LT(resumed->model().step(), kSteps);
  ASSERT_TRUE(resumed->Run(Continue).ok());
  ExpectBitEqual(Uninterrupted("unkilled"), resumed->model().weights());
}

}  // namespace
}  // namespace ddsp::training
