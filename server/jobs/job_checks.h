// What a store refuses before it asks its database.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/jobs/job.h"
#include "server/jobs/job_store.h"
#include "server/jobs/job_transition.h"

namespace ddsp::server {

// All errors: INVALID_JOB_REQUEST with the field and its value.
absl::Status CheckQuery(const JobQuery& query, const JobLimits& limits);
absl::Status CheckClaim(const JobClaim& claim, const JobLimits& limits);
absl::Status CheckEvent(const JobEvent& event, const JobLimits& limits);
absl::Status CheckLogLines(const std::vector<std::string>& lines, const JobLimits& limits);

}  // namespace ddsp::server
