// Where jobs are kept. What has been returned OK is on disk; any number of threads may call.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/jobs/change_hub.h"
#include "server/jobs/job.h"
#include "server/jobs/job_filter.h"
#include "server/jobs/job_transition.h"

namespace ddsp::server {

struct JobQuery {
  JobFilter filter;
  int64_t page_size = 50;  // 1 to 1000
  std::string page_token;  // of the page before; empty: the first
};

struct JobPage {
  std::vector<Job> jobs;        // newest first
  std::string next_page_token;  // empty: this was the last
};

struct JobClaim {
  std::string worker;              // for people: "host:pid"
  std::vector<std::string> kinds;  // what the worker can do; not empty
  int64_t max_jobs = 1;            // 1 to 100
  std::string job_id;              // only this one (a machine that was started for it); empty: whichever comes first
};

struct JobLogLine {
  int64_t number = 0;  // rises, from 1, without gaps
  absl::Time time = absl::UnixEpoch();
  std::string text;
};

// What the answer to a heartbeat says, and what to do about it.
struct JobHeard {
  bool cancel_requested = false;
  // Blobs that the job needs no longer: the checkpoint and the examples that newer ones have replaced.
  std::vector<std::string> superseded;
};

// Finished jobs that are kept.
struct JobRetention {
  absl::Duration max_age = absl::Hours(24 * 90);  // since they ended; zero: for ever
  int64_t max_finished = 100'000;                 // the newest; zero: any number
};

// How many jobs of one kind are in one of the states that nothing has ended.
struct JobCount {
  std::string kind;
  JobState state = JobState::kQueued;
  int64_t jobs = 0;
};

class JobStore {
 public:
  virtual ~JobStore() = default;

  // Creates a job, or returns the one that the same request created before.
  // Errors: INVALID_JOB_REQUEST; REQUEST_ID_REUSED where that request asked for something else; JOB_STORE_FULL where as
  // many jobs wait as may, JOB_QUOTA_EXCEEDED where as many of its owner's do.
  virtual absl::StatusOr<Job> Create(const NewJob& job) = 0;
  // Errors: JOB_NOT_FOUND.
  virtual absl::StatusOr<Job> Get(const std::string& id) = 0;
  // Jobs that are created while pages are turned appear on none of them; each other job on exactly one. A page ends
  // early rather than hold more than a mebibyte of specs and results, or one job.
  // Errors: INVALID_JOB_REQUEST for a page size out of range or a token of another filter.
  virtual absl::StatusOr<JobPage> List(const JobQuery& query) = 0;

  // Leases the jobs whose turn it is: lowest priority value, then earliest run_time. No job goes to two workers.
  // Empty: there is nothing to do now.
  virtual absl::StatusOr<std::vector<Job>> Claim(const JobClaim& claim) = 0;
  // Makes of a job what Next() says, for every event but JobClaimed. Errors: those of Next(), JOB_NOT_FOUND,
  // INVALID_JOB_REQUEST for texts that cannot be kept.
  virtual absl::StatusOr<Job> Apply(const std::string& id, const JobEvent& event) = 0;
  // Applies a heartbeat and appends to the job's log, of which the newest lines are kept. Cheaper than Apply(): the
  // spec, however long, is neither read nor written. Lines that cannot be kept are refused (INVALID_JOB_REQUEST) after
  // the lease has been prolonged. Errors: those of Apply().
  virtual absl::StatusOr<JobHeard> Heartbeat(const std::string& id, const JobHeartbeat& heartbeat,
                                             const std::vector<std::string>& log_lines) = 0;
  // Fails the attempts of workers that were not heard of for a lease; returns how many, at most `max_jobs`.
  virtual absl::StatusOr<int64_t> ExpireLeases(int64_t max_jobs = 100) = 0;

  // At most `max_lines` lines after number `after`.
  virtual absl::StatusOr<std::vector<JobLogLine>> ReadLog(const std::string& id, int64_t after, int64_t max_lines) = 0;

  // Forgets finished jobs, with their logs, that are older or more than are kept; returns how many, at most `max_jobs`.
  // The request that created a job that is forgotten creates another.
  virtual absl::StatusOr<int64_t> PruneFinished(const JobRetention& retention, int64_t max_jobs) = 0;
  // Those of `blobs` that some job needs: its inputs, results, listening examples, the checkpoint that a worker could
  // go on from, and, until it ends, the outputs that heartbeats have named. A blob is needed from the call on that
  // named it.
  virtual absl::StatusOr<std::vector<std::string>> NeededBlobs(const std::vector<std::string>& blobs) = 0;
  // The jobs that are not finished.
  virtual absl::StatusOr<std::vector<JobCount>> Count() = 0;

  // Changes by this process and, where several share the store, by the others.
  virtual ChangeHub& changes() = 0;
};

}  // namespace ddsp::server
