// Several workers train one model: threads of this process, and processes that are killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <torch/torch.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <functional>
#include <thread>

#include "core/training/trainer.h"
#include "tests/core/training/run_workers.h"

extern char** environ;

namespace ddsp::training {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int64_t kSteps = 8;

Dataset SwellingTone() {
  std::vector<float> audio(20 * 16000);
  for (size_t i = 0; i < audio.size(); ++i) {
    audio[i] = static_cast<float>(0.2 * std::sin(i * 2e-5) * std::sin(i * 2 * M_PI * 330 / 16000));
  }
  Recording recording{"tone.wav", std::move(audio), std::vector<FeatureFrame>(20 * 50 + 1)};
  for (size_t t = 0; t < recording.frames.size(); ++t) {
    recording.frames[t] = {330, 0.9f, true, -20, -30 + 10 * std::sin(0.01f * t)};
  }
  Dataset dataset;
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
  options.step.shards = 1;
  options.batch_size = 5;  // does not divide
  options.steps = kSteps;
  options.held_out_steps = 0;
  options.directory = directory;
  options.checkpoint_interval = absl::ZeroDuration();  // after every step
  return options;
}

std::string FreshFolder(const std::string& name) {
  const std::string folder = testing::TempDir() + "/workers_test_" + name;
  fs::remove_all(folder);
  return folder;
}

Parameters Copy(const Parameters& parameters) {
  Parameters copy;
  for (const auto& [name, value] : parameters) copy[name] = value.clone();
  return copy;
}

void ExpectBitEqual(const Parameters& a, const Parameters& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, value] : a) EXPECT_TRUE(at::equal(value, b.at(name))) << name;
}

TEST(Workers, GradientsAreThoseOfOneWorkerWithTheSameBatch) {
  const Dataset dataset = SwellingTone();
  for (const Recipe recipe : {Recipe::kVst, Recipe::kSoloInstrument}) {
    StepOptions options = SmallOptions("").step;
    options.clip_norm = 1e9;
    // Without it the gradient of quiet bins is rounding, which a library's transform of more rows at once does
    // otherwise.
    options.objective.log_floor = 1e-3;
    options.shape.recipe = recipe;
    if (recipe == Recipe::kSoloInstrument) options.shape.hop = 64;
    const std::vector<Segment> windows = {{0, 0, 64000}, {0, 64000, 128000}, {0, 32000, 96000}};
    const int64_t frames = options.shape.frames(64000);
    TrainStep alone(options, InitialParameters(options.shape, 1));
    const auto expected =
        alone.Run(MakeBatch(options.shape, dataset, windows), DrawNoise(options.shape, 1, 0, 0, 3, frames));
    ASSERT_TRUE(expected.ok());
    RunWorkers(2, [&](WorkerGroup& group) {
      TrainStep step(options, InitialParameters(options.shape, 1), &group);
      const int64_t begin = group.rank() == 0 ? 0 : 1, end = group.rank() == 0 ? 1 : 3;
      TrainingBatch batch = MakeBatch(options.shape, dataset, {windows.begin() + begin, windows.begin() + end});
      batch.whole = 3;
      const auto report = step.Run(batch, DrawNoise(options.shape, 1, 0, begin, end - begin, frames));
      ASSERT_TRUE(report.ok()) << report.status();
      EXPECT_NEAR(report->loss, expected->loss, 1e-6 * expected->loss);
      for (const auto& [name, gradient] : alone.gradients()) {
        const double norm = gradient.norm().item<double>();
        EXPECT_LE((step.gradients().at(name) - gradient).norm().item<double>(), 1e-5 * norm) << name;
      }
    });
  }
}

// The weights at each worker after a run in `directory`, all steps or until `observe` of rank 1 stops it.
std::vector<Parameters> Train(const std::string& directory,
                              const std::function<TrainerVerdict(const TrainingProgress&)>& observe = {}) {
  const Dataset dataset = SwellingTone();
  std::vector<Parameters> weights(2);
  RunWorkers(2, [&](WorkerGroup& group) {
    TrainerOptions options = SmallOptions(directory);
    options.group = &group;
    auto trainer = Trainer::Create(options, dataset, ListWindows(dataset, WholeRecordings(dataset), {}).windows, {});
    ASSERT_TRUE(trainer.ok()) << trainer.status();
    const absl::Status run = (*trainer)->Run([&](const TrainingProgress& progress) {
      return observe && group.rank() == 1 ? observe(progress) : TrainerVerdict::kContinue;
    });
    EXPECT_TRUE(run.ok()) << run;
    weights[group.rank()] = Copy((*trainer)->model().weights());
  });
  return weights;
}

// Theorem: as many workers make the same bits, everywhere and each time.
TEST(Workers, MakeTheSameWeightsEverywhereAndEachTime) {
  const std::vector<Parameters> first = Train(FreshFolder("first")), second = Train(FreshFolder("second"));
  ExpectBitEqual(first[0], first[1]);
  ExpectBitEqual(first[0], second[0]);
}

TEST(Workers, StopTogetherAndGoOnWhereTheyStopped) {
  const std::string folder = FreshFolder("stopped");
  Train(folder, [](const TrainingProgress& progress) {
    return progress.step == 3 ? TrainerVerdict::kStop : TrainerVerdict::kContinue;
  });
  EXPECT_TRUE(fs::exists(folder + "/checkpoints/checkpoint-000000003.safetensors"));
  EXPECT_FALSE(fs::exists(folder + "/checkpoints/checkpoint-000000004.safetensors"));
  ExpectBitEqual(Train(folder)[1], Train(FreshFolder("unstopped"))[1]);
}

TEST(Workers, WithOtherDataOrOptionsAreRefused) {
  const Dataset dataset = SwellingTone();
  const std::string folder = FreshFolder("other");
  const std::vector<Segment> windows = ListWindows(dataset, WholeRecordings(dataset), {}).windows;
  RunWorkers(2, [&](WorkerGroup& group) {
    TrainerOptions options = SmallOptions(folder);
    options.group = &group;
    options.seed = group.rank();
    absl::Status status = Trainer::Create(options, dataset, windows, {}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("workers 1 have another set of options"));

    options.seed = 1;
    status = Trainer::Create(options, dataset, {windows.begin(), windows.end() - group.rank()}, {}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("workers 1 have another data set"));

    options.batch_size = 1;
    EXPECT_EQ(Trainer::Create(options, dataset, windows, {}).status().code(), absl::StatusCode::kInvalidArgument);
  });
}

// The child of the next test: rank 1, which hangs after its third step until it is killed.
TEST(WorkerChild, DISABLED_Trains) {
  JoinOptions join;
  join.rank = 1;
  join.port = std::atoi(std::getenv("DDSP_WORKER_PORT"));
  auto group = JoinWorkers(join);
  ASSERT_TRUE(group.ok()) << group.status();
  const Dataset dataset = SwellingTone();
  TrainerOptions options = SmallOptions("");
  options.group = group->get();
  auto trainer = Trainer::Create(options, dataset, ListWindows(dataset, WholeRecordings(dataset), {}).windows, {});
  ASSERT_TRUE(trainer.ok()) << trainer.status();
  (*trainer)
      ->Run([](const TrainingProgress& progress) {
        if (progress.step == 3) std::this_thread::sleep_for(std::chrono::hours(1));
        return TrainerVerdict::kContinue;
      })
      .IgnoreError();
}

pid_t StartChild(int port) {
  setenv("DDSP_WORKER_PORT", std::to_string(port).c_str(), 1);
  std::string program = fs::read_symlink("/proc/self/exe"), filter = "--gtest_filter=WorkerChild.*",
              disabled = "--gtest_also_run_disabled_tests";
  char* arguments[] = {program.data(), filter.data(), disabled.data(), nullptr};
  pid_t child = 0;
  EXPECT_EQ(posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environ), 0);
  return child;
}

TEST(Workers, OneThatIsKilledEndsTheOthersAndTheRunGoesOn) {
  const std::string folder = FreshFolder("killed");
  const Dataset dataset = SwellingTone();
  pid_t child = 0;
  JoinOptions join;
  join.prepare = [&](int port) {
    child = StartChild(port);
    return absl::OkStatus();
  };
  {
    auto group = JoinWorkers(join);
    ASSERT_TRUE(group.ok()) << group.status();
    TrainerOptions options = SmallOptions(folder);
    options.group = group->get();
    options.checkpoint_interval = absl::InfiniteDuration();  // the loss of a worker writes one
    auto trainer = Trainer::Create(options, dataset, ListWindows(dataset, WholeRecordings(dataset), {}).windows, {});
    ASSERT_TRUE(trainer.ok()) << trainer.status();
    absl::Time killed;
    const absl::Status status = (*trainer)->Run([&](const TrainingProgress& progress) {
      if (progress.step == 3) {
        kill(child, SIGKILL);
        killed = absl::Now();
      }
      return TrainerVerdict::kContinue;
    });
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_LT(absl::Now() - killed, absl::Seconds(30));  // its connections are reset; the timeout is five minutes
    int ended = 0;
    waitpid(child, &ended, 0);
    EXPECT_TRUE(WIFSIGNALED(ended));
  }
  EXPECT_TRUE(fs::exists(folder + "/checkpoints/checkpoint-000000003.safetensors"));
  ExpectBitEqual(Train(folder)[0], Train(FreshFolder("unkilled"))[0]);
}

}  // namespace
}  // namespace ddsp::training
