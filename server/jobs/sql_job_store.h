#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "server/jobs/job_news.h"
#include "server/jobs/job_store.h"
#include "server/jobs/sql_engine.h"

namespace ddsp::server {

// Where the bytes are that jobs name. A database belongs to one such place: the first that it is opened with.
struct JobHome {
  std::string id;     // of the place, wherever it is moved; empty: the database is not asked
  std::string where;  // for people: "host:/var/lib/ddsp"
};

struct JobStoreOptions {
  JobPolicy policy;
  JobLimits limits;
  // Lines of a job's log that are kept.
  int64_t max_log_lines = 10'000;
  // Jobs that wait for a worker; one more is refused. Zero: any number. Servers that share a database may exceed it a
  // little, for none counts at every call.
  int64_t max_waiting_jobs = 100'000;
  // Told of each job that this store has ended, whoever asked for it or let its lease run out: once, when it is on
  // disk, on the thread that did it. The job comes without its spec where a lease ran out. Not told of an end whose
  // commit nobody acknowledged (JOB_STORE_UNAVAILABLE).
  std::function<void(const Job& job)> on_end = [](const Job&) {};
  // Told of what happens to jobs by this store, once, when it is on disk, on the thread that did it; empty: nobody
  // wants to know.
  std::function<void(const JobNews& news)> on_news{};
  JobHome home;
};

// A store in `engine`, with its tables made or brought up to date. `clock` tells the time of day and outlives it.
// Errors: INVALID_ARGUMENT for options; FAILED_PRECONDITION, naming the other place, for a database of another home;
// those of Migrate().
absl::StatusOr<std::unique_ptr<JobStore>> MakeSqlJobStore(std::unique_ptr<SqlEngine> engine, const Clock& clock,
                                                          const JobStoreOptions& options);

}  // namespace ddsp::server
