#include "core/training/model_trainer.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/base/file.h"
#include "core/datasets/example_set_writer.h"
#include "core/gin/reader.h"
#include "core/models/trainable/gin_model.h"
#include "core/training/train_model.h"
#include "tests/support/test_voice.h"

namespace ddsp::training {
namespace {

using ::testing::HasSubstr;

// A model of one weight that finds the factor between two features.
class Line : public TrainableModel {
 public:
  explicit Line(double factor = 0) { factor_.value.fill_(factor); }
  absl::StatusOr<ModelOutputs> Run(const NamedTensors& features, const ModelContext&) const override {
    ModelOutputs made;
    made.outputs["y"] = features.at("x") * factor_.value;
    if (features.contains("y")) made.losses["l2_loss"] = (made.outputs["y"] - features.at("y")).square().mean();
    return made;
  }
  std::string AudioOutput() const override { return "y"; }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    visit(prefix + "factor", factor_);
  }
  double factor() const { return factor_.value.item<double>(); }

 private:
  Parameter factor_{{1}, Initializer::kZeros};
};

// y = 3 x, with other x for every step.
class Points : public BatchSource {
 public:
  absl::StatusOr<NamedTensors> Batch(int64_t step) const override {
    const at::Tensor x = at::empty({8}).normal_(0, 1, at::detail::createCPUGenerator(step));
    return NamedTensors{{"x", x}, {"y", 3 * x}};
  }
};

class ModelTrainerTest : public ::testing::Test {
 protected:
  ModelTrainerOptions Options(int64_t steps) {
    ModelTrainerOptions options;
    options.step.learning_rate.peak = 0.05;
    options.steps = steps;
    options.steps_per_save = 20;
    options.directory = folder_.path() + "/run";
    return options;
  }
  static TrainerVerdict GoOn(const TrainingProgress&) { return TrainerVerdict::kContinue; }

  const Points points_;
  ddsp::testing::TempDir folder_;
};

TEST_F(ModelTrainerTest, Learns) {
  Line line;
  const auto trainer = *ModelTrainer::Create(Options(300), points_, &line);
  ASSERT_TRUE(trainer->Run(GoOn).ok());
  EXPECT_NEAR(line.factor(), 3, 0.05);
  const auto losses = ReadMetric(folder_.path() + "/run", "losses/total_loss");
  ASSERT_EQ(losses.size(), 30u);
  EXPECT_LT(losses.back().second, 0.01 * losses.front().second);
}

// Stopped and continued is the same as in one go, to the bit.
TEST_F(ModelTrainerTest, GoesOnWhereItStopped) {
  Line whole, first, second;
  ModelTrainerOptions elsewhere = Options(60);
  elsewhere.directory = folder_.path() + "/whole";
  ASSERT_TRUE((*ModelTrainer::Create(elsewhere, points_, &whole))->Run(GoOn).ok());
  const auto stop_at_33 = [](const TrainingProgress& progress) {
    return progress.step == 33 ? TrainerVerdict::kStop : TrainerVerdict::kContinue;
  };
  ASSERT_TRUE((*ModelTrainer::Create(Options(60), points_, &first))->Run(stop_at_33).ok());
  const auto trainer = *ModelTrainer::Create(Options(60), points_, &second);
  EXPECT_EQ(trainer->model().step(), 33);
  EXPECT_EQ(second.factor(), first.factor());
  ASSERT_TRUE(trainer->Run(GoOn).ok());
  EXPECT_EQ(second.factor(), whole.factor());
}

TEST_F(ModelTrainerTest, RefusesToGoOnWithOtherOptions) {
  Line line;
  ASSERT_TRUE((*ModelTrainer::Create(Options(20), points_, &line))->Run(GoOn).ok());
  ModelTrainerOptions other = Options(40);
  other.step.clip_norm = 1;
  const absl::Status refused = ModelTrainer::Create(other, points_, &line).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("clip 1"));
  EXPECT_TRUE(ModelTrainer::Create(Options(40), points_, &line).ok());  // more steps
}

TEST_F(ModelTrainerTest, StopsEarlyAndBeginsFromACheckpoint) {
  Line line;
  ModelTrainerOptions options = Options(100000);
  options.early_stop_loss = 0.5;
  const auto trainer = *ModelTrainer::Create(options, points_, &line);
  ASSERT_TRUE(trainer->Run(GoOn).ok());
  EXPECT_TRUE(trainer->stopped_early());
  EXPECT_LT(trainer->model().step(), 1000);
  Line fresh;
  ModelTrainerOptions begin = Options(1);
  begin.directory = folder_.path() + "/other";
  for (const auto& entry : std::filesystem::directory_iterator(options.directory + "/checkpoints")) {
    begin.begin_from = std::max(begin.begin_from, entry.path().string());  // names sort by step
  }
  const auto next = *ModelTrainer::Create(begin, points_, &fresh);
  EXPECT_EQ(next->model().step(), 0);
  EXPECT_EQ(fresh.factor(), line.factor());
}

TEST(ModelStep, ClipsTheGradientAndFollowsTheSchedule) {
  Line line;
  ModelStepOptions options;
  options.clip_norm = 0.25;
  options.learning_rate.peak = 0.1;
  options.learning_rate.decay_steps = 1;
  options.learning_rate.decay_rate = 0.5;
  ModelStep step(options, &line);
  const NamedTensors features = {{"x", at::ones({4})}, {"y", at::full({4}, 3.0)}};
  ModelStepReport report = *step.Run(features, {});
  EXPECT_NEAR(report.gradient_norm, 6, 1e-5);  // d/df (f - 3)^2 at 0
  EXPECT_NEAR(step.gradients().at("factor").item<double>(), -0.25, 1e-6);
  EXPECT_NEAR(line.factor(), 0.1, 1e-5);  // Adam's first step is the rate
  report = *step.Run(features, {});
  EXPECT_NEAR(report.learning_rate, 0.05, 1e-9);
  EXPECT_EQ(report.losses.at("l2_loss"), report.loss);
}

TEST(ModelStep, LeavesTheWeightsAfterAnError) {
  Line line(2);
  ModelStep step({}, &line);
  EXPECT_EQ(step.Run({{"x", at::ones({1})}}, {}).status().code(), absl::StatusCode::kFailedPrecondition);
  const at::Tensor nan = at::full({1}, std::nan(""));
  EXPECT_EQ(step.Run({{"x", nan}, {"y", nan}}, {}).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(line.factor(), 2);
  EXPECT_EQ(step.step(), 0);
}

TEST(TrainerOptionsFromGin, ReadsUpstreamsNames) {
  const auto config = gin::ParseConfig(
      "rate = 0.002\nTrainer.learning_rate = %rate\nTrainer.lr_decay_steps = 50\ntrainers.Trainer.grad_clip_norm = "
      "2.0\n"
      "train.num_steps = 7\ntrain.early_stop_loss_value = 5.0");
  const ModelTrainerOptions options = *TrainerOptionsFromGin(*config);
  EXPECT_EQ(options.step.learning_rate.peak, 0.002);
  EXPECT_EQ(options.step.learning_rate.decay_steps, 50);
  EXPECT_EQ(options.step.clip_norm, 2);
  EXPECT_EQ(options.steps, 7);
  EXPECT_EQ(options.early_stop_loss, 5);
  EXPECT_THAT(std::string(TrainerOptionsFromGin(*gin::ParseConfig("train.num_steps = 'all'")).status().message()),
              HasSubstr("1:19: train_util.train.num_steps is the text 'all'"));
}

ExampleSet Numbers(const std::string& folder, int64_t count) {
  ExampleSetWriter writer = *ExampleSetWriter::Open(folder, {.recipe = "numbers"});
  EXPECT_TRUE(writer.Add({{"number", at::arange(count, at::kFloat)}}).ok());
  EXPECT_TRUE(writer.Finish().ok());
  return *ExampleSet::Open(folder);
}

// Every example once an epoch, in another order each; a batch is a function of its step.
TEST(BatchSource, ShufflesExamples) {
  const ddsp::testing::TempDir folder;
  const ExampleSet numbers = Numbers(folder.path() + "/numbers", 6);
  const auto source = BatchesOfExamples(numbers, 3, 1);
  const auto epoch = [&](int64_t step) {
    return at::cat({source->Batch(step)->at("number"), source->Batch(step + 1)->at("number")});
  };
  const at::Tensor first = epoch(0), second = epoch(2);
  EXPECT_TRUE(at::equal(std::get<0>(first.sort()), at::arange(6, at::kFloat)));
  EXPECT_TRUE(at::equal(std::get<0>(second.sort()), at::arange(6, at::kFloat)));
  EXPECT_FALSE(at::equal(first, second));
  EXPECT_TRUE(at::equal(epoch(0), first));
  EXPECT_TRUE(at::equal(BatchesOfExamples(numbers, 3, 1)->Batch(2)->at("number"), second.narrow(0, 0, 3)));
}

TEST(BatchSource, ZipsRecordingsAndNotes) {
  const ddsp::testing::TempDir folder;
  const ExampleSet numbers = Numbers(folder.path() + "/numbers", 4);
  NotesSettings settings;
  settings.n_timesteps = 10;
  const auto source = ZippedBatches(BatchesOfExamples(numbers, 2, 1), BatchesOfNotes(settings, 3, 1));
  const NamedTensors batch = *source->Batch(5);
  EXPECT_EQ(batch.at("number").sizes(), at::IntArrayRef({2}));
  EXPECT_EQ(batch.at("synthetic/f0_hz").sizes(), at::IntArrayRef({3, 10, 1}));
  EXPECT_TRUE(at::equal(source->Batch(5)->at("synthetic/sin_freqs"), batch.at("synthetic/sin_freqs")));
  EXPECT_FALSE(at::equal(source->Batch(6)->at("synthetic/sin_freqs"), batch.at("synthetic/sin_freqs")));
}

// From a data set and a configuration to weights, in two goes.
TEST(TrainModel, WritesWeightsAndWhatMadeThem) {
  ddsp::testing::TempDir folder;
  ExampleSetWriter writer = *ExampleSetWriter::Open(folder.path() + "/data", {.recipe = "test"});
  ASSERT_TRUE(writer
                  .Add({{"audio", at::rand({3, 640}) - 0.5},
                        {"f0_hz", at::full({3, 10}, 200.0)},
                        {"loudness_db", at::full({3, 10}, -20.0)}})
                  .ok());
  ASSERT_TRUE(writer.Finish().ok());
  TrainModelOptions options;
  options.config = *gin::ReadConfig(std::string(DDSP_SOURCE_DIR) + "/configs/models/solo_instrument.gin");
  ASSERT_TRUE(
      gin::Override({"n_samples = 640", "F0LoudnessPreprocessor.time_steps = 10", "RnnFcDecoder.ch = 8",
                     "RnnFcDecoder.rnn_channels = 8", "Reverb.reverb_length = 100", "SpectralLoss.fft_sizes = (64,)"},
                    &options.config)
          .ok());
  options.dataset = folder.path() + "/data";
  options.out = folder.path() + "/out";
  options.batch_size = 2;
  options.steps = 3;
  const TrainModelEvents events = {[](const std::string&) {},
                                   [](const TrainingProgress&) { return TrainerVerdict::kContinue; }};
  ASSERT_TRUE(TrainModel(options, events).ok()) << TrainModel(options, events).status();
  options.steps = 12;
  EXPECT_EQ(TrainModel(options, events)->step, 12);
  const Safetensors weights = *Safetensors::Read(options.out + "/weights.safetensors");
  EXPECT_TRUE(weights.Get("decoder/rnn/rnn/cell/kernel").ok());
  EXPECT_EQ(weights.Get("processor_group/reverb/ir")->shape, std::vector<int64_t>({100}));
  EXPECT_THAT(*ReadFile(options.out + "/operative_config.gin"), HasSubstr("train.num_steps = 12"));
  EXPECT_EQ(ReadMetric(options.out, "losses/spectral_loss").size(), 1u);
  EXPECT_TRUE(ModelFromGin(*gin::ReadConfig(options.out + "/operative_config.gin")).ok());
  options.dataset = folder.path() + "/none";
  EXPECT_EQ(TrainModel(options, events).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace ddsp::training
