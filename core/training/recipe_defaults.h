// How recipes are trained where nobody says otherwise: what the command line and the workers begin with.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/training/trainer.h"

namespace ddsp::training {

// Shape, loss, schedule, learning rates and threads of a run. The shape is the published one but for a reverb of
// filtered noise, which begins at -6 instead of -3: from there dry recordings have silent rests after a few thousand
// steps, and a room is found all the same, since the reverb learns ten times as fast as the network. Whoever changes
// the number of steps also tells the schedule. Errors: those of RecipeShape.
absl::StatusOr<TrainerOptions> RecipeDefaults(const std::string& recipe);

// "cosine", "exponential".
std::vector<std::string> ScheduleNames();
// Errors: INVALID_ARGUMENT that lists the names.
absl::StatusOr<LearningRate::Shape> ScheduleOf(const std::string& name);
std::string NameOf(LearningRate::Shape shape);

}  // namespace ddsp::training
