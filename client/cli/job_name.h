#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace ddsp::client {

// For the help of arguments that name a job.
inline constexpr char kJobNameHelp[] =
    "Job: jobs/ID, ID, or the object that `ddsp job submit --output json` prints; - reads it from stdin";

// The name of a job out of what kJobNameHelp says. Errors: INVALID_ARGUMENT with the text.
absl::StatusOr<std::string> ParseJobName(const std::string& text);
// The same, where "-" stands for what stdin holds.
absl::StatusOr<std::string> ReadJobName(const std::string& argument);

}  // namespace ddsp::client
