#include "core/training/recipe/recipe_overrides.h"

#include <algorithm>
#include <functional>
#include <map>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/gin/parser.h"

namespace ddsp::training {
namespace {

// Sets a parameter; the answer says what the value should have been, and is empty where it was right.
using Setter = std::function<std::string(const gin::Value& value, RecipeOverrides* overrides)>;
template <typename T>
using Member = std::optional<T> RecipeOverrides::*;

std::optional<double> NumberOf(const gin::Value& value) {
  if (const auto* number = std::get_if<double>(&value.content())) return *number;
  if (const auto* number = std::get_if<int64_t>(&value.content())) return static_cast<double>(*number);
  return std::nullopt;
}

Setter Whole(int64_t least, int64_t most, Member<int64_t> member) {
  return [=](const gin::Value& value, RecipeOverrides* overrides) -> std::string {
    const auto* number = std::get_if<int64_t>(&value.content());
    if (number == nullptr || *number < least || *number > most) {
      return absl::StrCat("a whole number from ", least, " to ", most);
    }
    overrides->*member = *number;
    return "";
  };
}

Setter Real(double least, double most, Member<double> member) {
  return [=](const gin::Value& value, RecipeOverrides* overrides) -> std::string {
    const std::optional<double> number = NumberOf(value);
    if (!number || !(*number >= least && *number <= most)) return absl::StrCat("a number from ", least, " to ", most);
    overrides->*member = *number;
    return "";
  };
}

Setter Text(Member<std::string> member) {
  return [=](const gin::Value& value, RecipeOverrides* overrides) -> std::string {
    const auto* text = std::get_if<std::string>(&value.content());
    if (text == nullptr) return "a text in quotes";
    overrides->*member = *text;
    return "";
  };
}

Setter Flag(Member<bool> member) {
  return [=](const gin::Value& value, RecipeOverrides* overrides) -> std::string {
    const auto* yes = std::get_if<bool>(&value.content());
    if (yes == nullptr) return "True or False";
    overrides->*member = *yes;
    return "";
  };
}

std::string SetSchedule(const gin::Value& value, RecipeOverrides* overrides) {
  const auto* text = std::get_if<std::string>(&value.content());
  if (text == nullptr || (*text != "cosine" && *text != "exponential")) return "'cosine' or 'exponential'";
  overrides->schedule = *text == "cosine" ? Schedule::kCosine : Schedule::kExponential;
  return "";
}

constexpr int64_t kMostSteps = 1'000'000'000;

const std::map<std::string, Setter>& Setters() {
  using O = RecipeOverrides;
  static const auto* const setters = new std::map<std::string, Setter>{
      {"batch_size", Whole(1, 4096, &O::batch_size)},
      {"shards", Whole(1, 64, &O::shards)},
      {"learning_rate", Real(1e-8, 1, &O::learning_rate)},
      {"warmup_steps", Whole(0, 1'000'000, &O::warmup_steps)},
      {"schedule", SetSchedule},
      {"augment_pitch", Real(0, 6, &O::augment_pitch)},
      {"augment_gain", Real(0, 40, &O::augment_gain)},
      {"reverb_bias", Real(-20, 5, &O::reverb_bias)},
      {"reverb_rate", Real(1e-3, 1e3, &O::reverb_rate)},
      {"clip_norm", Real(1e-6, 1e6, &O::clip_norm)},
      {"log_floor", Real(0, 1, &O::log_floor)},
      {"held_out_fraction", Real(0, 0.5, &O::held_out_fraction)},
      {"held_out_steps", Whole(0, kMostSteps, &O::held_out_steps)},
      {"log_steps", Whole(1, kMostSteps, &O::log_steps)},
      {"example_steps", Whole(0, kMostSteps, &O::example_steps)},
      {"float32", Flag(&O::float32)},
      {"description", Text(&O::description)},
      {"licence", Text(&O::licence)},
      {"attribution", Text(&O::attribution)},
  };
  return *setters;
}

absl::Status Wrong(const std::string& text, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("'", text, "'", what));
}

}  // namespace

std::vector<std::string> KnownRecipes() { return {"solo_instrument", "vst", "vst_24k", "vst_48k"}; }

absl::Status CheckRecipeName(const std::string& name) {
  const std::vector<std::string> names = KnownRecipes();
  if (std::find(names.begin(), names.end(), name) != names.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("no recipe '", name.size() > 100 ? "..." : name, "'; there is: ", absl::StrJoin(names, ", ")));
}

absl::Status ReadOverride(const std::string& text, RecipeOverrides* overrides) {
  if (text.size() > kMaxOverrideBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("an override has ", text.size(), " bytes; at most ", kMaxOverrideBytes));
  }
  const absl::StatusOr<std::vector<gin::Statement>> statements = gin::ParseStatements(text);
  if (!statements.ok()) return Wrong(text, absl::StrCat(": ", statements.status().message()));
  if (statements->empty()) return Wrong(text, " sets nothing");
  for (const gin::Statement& statement : *statements) {
    const auto* binding = std::get_if<gin::BindingStatement>(&statement);
    const auto setter = binding == nullptr || binding->selector != "train" || !binding->scope.empty()
                            ? Setters().end()
                            : Setters().find(binding->parameter);
    if (setter == Setters().end()) {
      return Wrong(text, " is of no parameter of a recipe; those are " + absl::StrJoin(OverrideNames(), ", "));
    }
    if (const std::string wanted = setter->second(binding->value, overrides); !wanted.empty()) {
      return Wrong(text, absl::StrCat(": ", binding->parameter, " is ", wanted));
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> OverrideNames() {
  std::vector<std::string> names;
  for (const auto& [name, setter] : Setters()) names.push_back("train." + name);
  return names;
}

}  // namespace ddsp::training
