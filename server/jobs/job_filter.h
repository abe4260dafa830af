// Which jobs a list holds, as a client writes it (a part of AIP-160).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/jobs/job.h"

namespace ddsp::server {

// Every condition that is not empty holds.
struct JobFilter {
  std::vector<JobState> states;  // one of them
  std::string kind;
  std::string display_name;

  bool operator==(const JobFilter&) const = default;
};

// Reads `state = RUNNING AND kind = train AND display_name = "my cello"`; `done = true` and `done = false` name the
// finished states and the others. A value may be quoted. Empty: every job.
// Errors: INVALID_JOB_REQUEST that names the condition.
absl::StatusOr<JobFilter> ParseJobFilter(std::string_view text);

bool Matches(const JobFilter& filter, const Job& job);

// The filter in one form, whatever order and spaces it was written with.
std::string ToString(const JobFilter& filter);

}  // namespace ddsp::server
