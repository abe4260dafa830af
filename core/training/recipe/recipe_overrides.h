// What may be asked of a recipe: its name, and parameters as gin writes them, "train.batch_size = 8". No LibTorch: the
// command line and the server ask here before a worker does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace ddsp::training {

// Sorted: "solo_instrument", "vst", "vst_24k", "vst_48k".
std::vector<std::string> KnownRecipes();
// Errors: INVALID_ARGUMENT that lists the recipes.
absl::Status CheckRecipeName(const std::string& name);

enum class Schedule { kCosine, kExponential };

// What differs from the recipe's own settings.
struct RecipeOverrides {
  std::optional<int64_t> batch_size, shards, warmup_steps, held_out_steps, log_steps, example_steps;
  std::optional<double> learning_rate, reverb_rate, reverb_bias, clip_norm, log_floor, held_out_fraction;
  std::optional<double> augment_pitch, augment_gain;
  std::optional<Schedule> schedule;
  std::optional<bool> float32;
  std::optional<std::string> description, licence, attribution;
};

// Of one text; a description may be long.
inline constexpr size_t kMaxOverrideBytes = 4000;

// Sets what `text`, one or more bindings, says. Errors: INVALID_ARGUMENT with the text and what is wrong with it: no
// gin, a parameter that is not of OverrideNames(), a value of a wrong type or out of range.
absl::Status ReadOverride(const std::string& text, RecipeOverrides* overrides);

// "train.batch_size", ..., sorted.
std::vector<std::string> OverrideNames();

}  // namespace ddsp::training
