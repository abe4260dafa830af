#include "worker/runners/train_plan.h"

#include <algorithm>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/training/recipe/recipe_overrides.h"
#include "core/training/recipe_defaults.h"

namespace ddsp::worker {
namespace {

using training::LearningRate;
using training::RecipeOverrides;
using training::TrainVoiceOptions;

template <typename From, typename To>
void Set(const std::optional<From>& value, To* to) {
  if (value) *to = static_cast<To>(*value);
}

void Apply(const RecipeOverrides& overrides, TrainVoiceOptions* options) {
  training::TrainerOptions& trainer = options->trainer;
  training::StepOptions& step = trainer.step;
  Set(overrides.batch_size, &trainer.batch_size);
  Set(overrides.shards, &step.shards);
  Set(overrides.learning_rate, &step.learning_rate.peak);
  Set(overrides.warmup_steps, &step.learning_rate.warmup_steps);
  if (overrides.schedule) {
    const bool cosine = *overrides.schedule == training::Schedule::kCosine;
    step.learning_rate.shape = cosine ? LearningRate::Shape::kWarmupCosine : LearningRate::Shape::kExponential;
  }
  Set(overrides.augment_pitch, &trainer.augmentation.pitch_semitones);
  Set(overrides.augment_gain, &trainer.augmentation.gain_db);
  Set(overrides.reverb_bias, &step.shape.reverb_bias);
  Set(overrides.reverb_rate, &step.reverb_rate);
  Set(overrides.clip_norm, &step.clip_norm);
  Set(overrides.log_floor, &step.objective.log_floor);
  Set(overrides.held_out_fraction, &options->split.held_out_fraction);
  Set(overrides.held_out_steps, &trainer.held_out_steps);
  Set(overrides.log_steps, &trainer.log_steps);
  Set(overrides.example_steps, &options->example_steps);
  if (overrides.float32) {
    options->exporting.storage = *overrides.float32 ? WeightStorage::kFloat32 : WeightStorage::kFloat16;
  }
  Set(overrides.description, &options->exporting.label.description);
  Set(overrides.licence, &options->exporting.label.licence);
  Set(overrides.attribution, &options->exporting.label.attribution);
}

// As on the command line, for the model card.
std::string CommandOf(const v1::TrainSpec& spec) {
  std::string command = absl::StrCat("ddsp job submit train --recipe ", spec.recipe(), " --name ", spec.model());
  if (spec.steps() > 0) absl::StrAppend(&command, " --steps ", spec.steps());
  absl::StrAppend(&command, " --seed ", spec.seed());
  for (const std::string& text : spec.overrides()) absl::StrAppend(&command, " --override '", text, "'");
  return command;
}

}  // namespace

absl::StatusOr<TrainVoiceOptions> PlanTraining(const v1::TrainSpec& spec, const std::string& workspace) {
  TrainVoiceOptions options;
  std::vector<std::string> problems;
  if (absl::StatusOr<training::TrainerOptions> recipe = training::RecipeDefaults(spec.recipe()); recipe.ok()) {
    options.trainer = *std::move(recipe);
  } else {
    problems.push_back(std::string(recipe.status().message()));
  }
  options.recordings = absl::StrCat(workspace, "/", kRecordings);
  const bool held_out = std::any_of(spec.data().begin(), spec.data().end(),
                                    [](const v1::JobFile& file) { return absl::StartsWith(file.path(), "held-out/"); });
  if (held_out) options.held_out = absl::StrCat(workspace, "/", kHeldOut);
  options.bundle = absl::StrCat(workspace, "/voice/1");
  options.trainer.directory = absl::StrCat(workspace, "/training");
  options.trainer.seed = options.exporting.seed = spec.seed();
  if (spec.steps() > 0) options.trainer.steps = spec.steps();
  options.example_steps = std::clamp<int64_t>(options.trainer.steps / 16, 50, 500);
  options.exporting.label.name = spec.model();
  options.command = CommandOf(spec);

  RecipeOverrides overrides;
  for (const std::string& text : spec.overrides()) {
    const absl::Status read = training::ReadOverride(text, &overrides);
    if (!read.ok()) problems.push_back(absl::StrCat("override ", read.message()));
  }
  Apply(overrides, &options);
  options.trainer.step.learning_rate.total_steps = options.trainer.steps;
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "; "));
  return options;
}

}  // namespace ddsp::worker
