#include "worker/runners/train_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/training/recipe_defaults.h"

namespace ddsp::worker {
namespace {

using testing::HasSubstr;

v1::TrainSpec Spec() {
  v1::TrainSpec spec;
  spec.set_recipe("vst");
  spec.set_model("my-cello");
  spec.set_seed(7);
  spec.add_data()->set_path("a.wav");
  return spec;
}

TEST(TrainPlan, IsTheRecipes) {
  const training::TrainVoiceOptions options = PlanTraining(Spec(), "/w").value();
  EXPECT_EQ(options.recordings, "/w/recordings");
  EXPECT_EQ(options.held_out, "");
  EXPECT_EQ(options.exporting.label.name, "my-cello");
  EXPECT_EQ(options.trainer.seed, 7);
  training::TrainerOptions defaults = training::RecipeDefaults("vst").value();
  EXPECT_EQ(options.trainer.steps, defaults.steps);
  defaults.seed = 7;
  EXPECT_EQ(options.trainer.Describe(), defaults.Describe());
  EXPECT_EQ(options.trainer.step.learning_rate.total_steps, options.trainer.steps);
  EXPECT_THAT(options.command, HasSubstr("--recipe vst --name my-cello"));
}

TEST(TrainPlan, TakesStepsAndOverrides) {
  v1::TrainSpec spec = Spec();
  spec.set_steps(40);
  spec.add_overrides("train.batch_size = 8");
  spec.add_overrides("train.learning_rate = 2e-3");
  spec.add_overrides("train.schedule = 'exponential'");
  spec.add_overrides("train.licence = 'CC0-1.0'");
  const training::TrainVoiceOptions options = PlanTraining(spec, "/w").value();
  EXPECT_EQ(options.trainer.steps, 40);
  EXPECT_EQ(options.trainer.step.learning_rate.total_steps, 40);
  EXPECT_EQ(options.trainer.batch_size, 8);
  EXPECT_EQ(options.trainer.step.learning_rate.peak, 2e-3);
  EXPECT_EQ(options.trainer.step.learning_rate.shape, training::LearningRate::Shape::kExponential);
  EXPECT_EQ(options.exporting.label.licence, "CC0-1.0");
}

TEST(TrainPlan, KeepsBackWhatTheJobHoldsOut) {
  v1::TrainSpec spec = Spec();
  spec.add_data()->set_path("held-out/b.wav");
  EXPECT_EQ(PlanTraining(spec, "/w").value().held_out, "/w/recordings/held-out");
}

TEST(TrainPlan, NamesEverythingThatItDoesNotKnow) {
  v1::TrainSpec spec = Spec();
  spec.set_recipe("opera");
  spec.add_overrides("train.batchsize = 8");
  spec.add_overrides("Adam.epsilon = 1");
  spec.add_overrides("train.batch_size = 'eight'");
  spec.add_overrides("train.batch_size = 0");
  spec.add_overrides("train.learning_rate =");
  const absl::Status status = PlanTraining(spec, "/w").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const std::string message(status.message());
  for (const char* part : {"opera", "'train.batchsize = 8' is of no parameter", "train.shards", "'Adam.epsilon = 1'",
                           "'train.batch_size = 'eight'': batch_size is a whole number from 1 to 4096",
                           "'train.batch_size = 0': ", "'train.learning_rate ='"}) {
    EXPECT_THAT(message, HasSubstr(part));
  }
}

// Two workers of different machines must come to the same bits.
TEST(TrainPlan, DependsOnTheJobAlone) {
  const auto one = PlanTraining(Spec(), "/w").value(), two = PlanTraining(Spec(), "/other").value();
  EXPECT_EQ(one.trainer.Describe(), two.trainer.Describe());
  EXPECT_EQ(one.command, two.command);
}

}  // namespace
}  // namespace ddsp::worker
