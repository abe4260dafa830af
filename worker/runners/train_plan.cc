#include "worker/runners/train_plan.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/gin/parser.h"
#include "core/training/recipe_defaults.h"

namespace ddsp::worker {
namespace {

using training::LearningRate;
using training::TrainVoiceOptions;

// Sets a parameter; the answer says what the value should have been, and is empty where it was right.
using Setter = std::function<std::string(const gin::Value& value, TrainVoiceOptions* options)>;

std::optional<double> NumberOf(const gin::Value& value) {
  if (const auto* number = std::get_if<double>(&value.content())) return *number;
  if (const auto* number = std::get_if<int64_t>(&value.content())) return static_cast<double>(*number);
  return std::nullopt;
}

Setter Whole(int64_t least, int64_t most, std::function<void(int64_t, TrainVoiceOptions*)> set) {
  return [=](const gin::Value& value, TrainVoiceOptions* options) -> std::string {
    const auto* number = std::get_if<int64_t>(&value.content());
    if (number == nullptr || *number < least || *number > most) {
      return absl::StrCat("a whole number from ", least, " to ", most);
    }
    set(*number, options);
    return "";
  };
}

Setter Real(double least, double most, std::function<void(double, TrainVoiceOptions*)> set) {
  return [=](const gin::Value& value, TrainVoiceOptions* options) -> std::string {
    const std::optional<double> number = NumberOf(value);
    if (!number || !(*number >= least && *number <= most)) return absl::StrCat("a number from ", least, " to ", most);
    set(*number, options);
    return "";
  };
}

Setter Text(std::function<void(const std::string&, TrainVoiceOptions*)> set) {
  return [=](const gin::Value& value, TrainVoiceOptions* options) -> std::string {
    const auto* text = std::get_if<std::string>(&value.content());
    if (text == nullptr) return "a text in quotes";
    set(*text, options);
    return "";
  };
}

std::string SetSchedule(const gin::Value& value, TrainVoiceOptions* options) {
  const auto* text = std::get_if<std::string>(&value.content());
  if (text == nullptr || (*text != "cosine" && *text != "exponential")) return "'cosine' or 'exponential'";
  options->trainer.step.learning_rate.shape =
      *text == "cosine" ? LearningRate::Shape::kWarmupCosine : LearningRate::Shape::kExponential;
  return "";
}

std::string SetStorage(const gin::Value& value, TrainVoiceOptions* options) {
  const auto* yes = std::get_if<bool>(&value.content());
  if (yes == nullptr) return "True or False";
  options->exporting.storage = *yes ? WeightStorage::kFloat32 : WeightStorage::kFloat16;
  return "";
}

const std::map<std::string, Setter>& Setters() {
  using O = TrainVoiceOptions;
  static const auto* const setters = new std::map<std::string, Setter>{
      {"batch_size", Whole(1, 4096, [](int64_t v, O* o) { o->trainer.batch_size = v; })},
      {"shards", Whole(1, 64, [](int64_t v, O* o) { o->trainer.step.shards = static_cast<int>(v); })},
      {"learning_rate", Real(1e-8, 1, [](double v, O* o) { o->trainer.step.learning_rate.peak = v; })},
      {"warmup_steps", Whole(0, 1000000, [](int64_t v, O* o) { o->trainer.step.learning_rate.warmup_steps = v; })},
      {"schedule", SetSchedule},
      {"reverb_rate", Real(1e-3, 1e3, [](double v, O* o) { o->trainer.step.reverb_rate = v; })},
      {"clip_norm", Real(1e-6, 1e6, [](double v, O* o) { o->trainer.step.clip_norm = v; })},
      {"log_floor", Real(0, 1, [](double v, O* o) { o->trainer.step.objective.log_floor = static_cast<float>(v); })},
      {"held_out_fraction", Real(0, 0.5, [](double v, O* o) { o->split.held_out_fraction = v; })},
      {"held_out_steps", Whole(0, 1000000000, [](int64_t v, O* o) { o->trainer.held_out_steps = v; })},
      {"log_steps", Whole(1, 1000000000, [](int64_t v, O* o) { o->trainer.log_steps = v; })},
      {"example_steps", Whole(0, 1000000000, [](int64_t v, O* o) { o->example_steps = v; })},
      {"float32", SetStorage},
      {"description", Text([](const std::string& v, O* o) { o->exporting.label.description = v; })},
      {"licence", Text([](const std::string& v, O* o) { o->exporting.label.licence = v; })},
      {"attribution", Text([](const std::string& v, O* o) { o->exporting.label.attribution = v; })},
  };
  return *setters;
}

// Applies "train.batch_size = 8"; the answer says what is wrong with it, if anything is.
std::string Apply(const std::string& text, TrainVoiceOptions* options) {
  const absl::StatusOr<std::vector<gin::Statement>> statements = gin::ParseStatements(text);
  if (!statements.ok()) return absl::StrCat("override '", text, "': ", statements.status().message());
  for (const gin::Statement& statement : *statements) {
    const auto* binding = std::get_if<gin::BindingStatement>(&statement);
    const auto setter = binding == nullptr || binding->selector != "train" || !binding->scope.empty()
                            ? Setters().end()
                            : Setters().find(binding->parameter);
    if (setter == Setters().end()) {
      return absl::StrCat("override '", text, "' is of no parameter of a recipe; those are ",
                          absl::StrJoin(OverrideNames(), ", "));
    }
    if (const std::string wanted = setter->second(binding->value, options); !wanted.empty()) {
      return absl::StrCat("override '", text, "': ", binding->parameter, " is ", wanted);
    }
  }
  return "";
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

std::vector<std::string> OverrideNames() {
  std::vector<std::string> names;
  for (const auto& [name, setter] : Setters()) names.push_back("train." + name);
  return names;
}

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

  for (const std::string& text : spec.overrides()) {
    if (std::string problem = Apply(text, &options); !problem.empty()) problems.push_back(std::move(problem));
  }
  options.trainer.step.learning_rate.total_steps = options.trainer.steps;
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "; "));
  return options;
}

}  // namespace ddsp::worker
