// What a train job asks for, as options of the trainer. Depends on the job alone, since the bits of the result do.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/training/train_voice.h"
#include "ddsp/v1/jobs.pb.h"

namespace ddsp::worker {

// Folders of a job's files in its workspace. Recordings of the second, where there are some, are evaluated on and never
// trained on.
inline constexpr char kRecordings[] = "recordings", kHeldOut[] = "recordings/held-out";

// Options of the recipe with the job's steps, seed and overrides; recordings, checkpoints and bundle lie in
// `workspace`. Errors: INVALID_ARGUMENT with every problem: a recipe or a parameter that is not known, a value of a
// wrong type or out of range.
absl::StatusOr<training::TrainVoiceOptions> PlanTraining(const v1::TrainSpec& spec, const std::string& workspace);

}  // namespace ddsp::worker
