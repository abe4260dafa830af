#pragma once

#include <memory>

#include "core/base/clock.h"
#include "server/jobs/job_store.h"
#include "server/jobs/sql_engine.h"

namespace ddsp::server {

struct JobStoreOptions {
  JobPolicy policy;
  JobLimits limits;
  // Lines of a job's log that are kept.
  int64_t max_log_lines = 10'000;
  // Jobs that wait for a worker; one more is refused. Zero: any number. Servers that share a database may exceed it a
  // little, for none counts at every call.
  int64_t max_waiting_jobs = 100'000;
};

// A store in `engine`, with its tables made or brought up to date. `clock` tells the time of day and outlives it.
// Errors: INVALID_ARGUMENT for options, those of Migrate().
absl::StatusOr<std::unique_ptr<JobStore>> MakeSqlJobStore(std::unique_ptr<SqlEngine> engine, const Clock& clock,
                                                          const JobStoreOptions& options);

}  // namespace ddsp::server
