// A job as a row of the table `jobs`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/jobs/job.h"
#include "server/jobs/sql_engine.h"

namespace ddsp::server {

inline constexpr std::string_view kJobColumns[] = {"id",
                                                   "request_id",
                                                   "kind",
                                                   "display_name",
                                                   "spec",
                                                   "priority",
                                                   "state",
                                                   "revision",
                                                   "create_us",
                                                   "update_us",
                                                   "run_us",
                                                   "start_us",
                                                   "end_us",
                                                   "attempts",
                                                   "failures",
                                                   "worker",
                                                   "lease_id",
                                                   "lease_expire_us",
                                                   "cancel_requested",
                                                   "progress_done",
                                                   "progress_total",
                                                   "metrics",
                                                   "examples",
                                                   "checkpoint_step",
                                                   "checkpoint_blob",
                                                   "result",
                                                   "error"};

// One value for each column, in their order.
std::vector<SqlValue> ToValues(const Job& job);
// Errors: INTERNAL for a row that no job was written to.
absl::StatusOr<Job> ToJob(const SqlRow& row);

int64_t ToMicros(absl::Time time);
absl::Time FromMicros(int64_t micros);

// "SELECT id, ... FROM jobs " and what follows.
std::string SelectJobs(std::string_view rest);
// With one value for each column.
std::string InsertJob(std::string_view rest);
// Of the row with the job's id, every column.
std::string UpdateJob();

}  // namespace ddsp::server
