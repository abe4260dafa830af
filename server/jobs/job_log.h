// What a job's workers have said, as rows of `job_logs`.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/jobs/job_store.h"
#include "server/jobs/sql_engine.h"

namespace ddsp::server {

// Keeps the newest `max_lines` lines.
absl::Status AppendLog(SqlTransaction& transaction, const std::string& job_id, const std::vector<std::string>& lines,
                       absl::Time now, int64_t max_lines);
// At most `max_lines` lines after number `after`.
absl::StatusOr<std::vector<JobLogLine>> ReadLog(SqlTransaction& transaction, const std::string& job_id, int64_t after,
                                                int64_t max_lines);

}  // namespace ddsp::server
