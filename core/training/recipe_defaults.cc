#include "core/training/recipe_defaults.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"

namespace ddsp::training {

absl::StatusOr<TrainerOptions> RecipeDefaults(const std::string& recipe) {
  TrainerOptions options;
  StepOptions& step = options.step;
  ASSIGN_OR_RETURN(step.shape, RecipeShape(recipe));
  step.objective.fft_sizes = RecipeLoss(step.shape.sample_rate).fft_sizes;
  if (step.shape.recipe == Recipe::kVst) step.shape.reverb_bias = -6;
  step.reverb_rate = 10;
  step.learning_rate.peak = 1e-3;
  step.learning_rate.shape = LearningRate::Shape::kWarmupCosine;
  step.learning_rate.total_steps = options.steps;
  step.shards = 2;  // not the machine's number of cores, of which results would then depend by rounding
  return options;
}

std::vector<std::string> ScheduleNames() { return {"cosine", "exponential"}; }

absl::StatusOr<LearningRate::Shape> ScheduleOf(const std::string& name) {
  for (const auto shape : {LearningRate::Shape::kWarmupCosine, LearningRate::Shape::kExponential}) {
    if (NameOf(shape) == name) return shape;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no schedule '", name, "'; there is: ", absl::StrJoin(ScheduleNames(), ", ")));
}

std::string NameOf(LearningRate::Shape shape) {
  return shape == LearningRate::Shape::kWarmupCosine ? "cosine" : "exponential";
}

}  // namespace ddsp::training
