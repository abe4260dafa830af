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

class JobStore {
 public:
  virtual ~JobStore() = default;

  // Creates a job, or returns the one that the same request created before.
  // Errors: INVALID_JOB_REQUEST; REQUEST_ID_REUSED where that request asked for something else.
  virtual absl::StatusOr<Job> Create(const NewJob& job) = 0;
  // Errors: JOB_NOT_FOUND.
  virtual absl::StatusOr<Job> Get(const std::string& id) = 0;
  // Jobs that are created while pages are turned appear on none of them; each other job on exactly one.
  // Errors: INVALID_JOB_REQUEST for a page size out of range or a token of another filter.
  virtual absl::StatusOr<JobPage> List(const JobQuery& query) = 0;

  // Leases the jobs whose turn it is: lowest priority value, then earliest run_time. No job goes to two workers.
  // Empty: there is nothing to do now.
  virtual absl::StatusOr<std::vector<Job>> Claim(const JobClaim& claim) = 0;
  // Makes of a job what Next() says, for every event but JobClaimed. Errors: those of Next(), JOB_NOT_FOUND,
  // INVALID_JOB_REQUEST for texts that cannot be kept.
  virtual absl::StatusOr<Job> Apply(const std::string& id, const JobEvent& event) = 0;
  // Fails the attempts of workers that were not heard of for a lease; returns how many, at most `max_jobs`.
  virtual absl::StatusOr<int64_t> ExpireLeases(int64_t max_jobs = 100) = 0;

  // Appends to a job's log, of which the newest lines are kept. Errors: LEASE_LOST, JOB_NOT_FOUND.
  virtual absl::Status AppendLog(const std::string& id, const std::string& lease_id,
                                 const std::vector<std::string>& lines) = 0;
  // At most `max_lines` lines after number `after`.
  virtual absl::StatusOr<std::vector<JobLogLine>> ReadLog(const std::string& id, int64_t after, int64_t max_lines) = 0;

  // Changes by this process and, where several share the store, by the others.
  virtual ChangeHub& changes() = 0;
};

}  // namespace ddsp::server
