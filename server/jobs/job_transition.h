// What becomes of a job: a pure function of the job, an event and the time. Stores only keep what it returns.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/jobs/job.h"

namespace ddsp::server {

struct JobPolicy {
  // How long a worker may stay silent. Shorter finds dead workers sooner and costs more heartbeats.
  absl::Duration lease = absl::Seconds(10);
  // What workers are told; several must fit into a lease.
  absl::Duration heartbeat = absl::Seconds(2);
  // Failures in a row without a newer checkpoint; the last of them ends the job.
  int64_t max_failures = 25;
  // Upper bound of the back-off, which is failures^4 seconds and up to a tenth more.
  absl::Duration max_back_off = absl::Hours(24);
};

// Errors: INVALID_ARGUMENT with every problem.
absl::Status Validate(const JobPolicy& policy);

struct JobClaimed {
  std::string worker;
  std::string lease_id;  // new, never used before
};
struct JobHeartbeat {
  std::string lease_id;
  std::optional<JobProgress> progress;
  std::optional<JobCheckpoint> checkpoint;
  // SHA-256 of blobs that will be of the result: held from now on until the job ends.
  std::vector<std::string> outputs;
};
struct JobCompleted {
  std::string lease_id;
  std::string result;
};
enum class FailureKind { kTransient, kPermanent };
// Also how a worker acknowledges a cancellation.
struct JobAttemptFailed {
  std::string lease_id;
  std::string error;
  FailureKind kind = FailureKind::kTransient;
};
// The worker stops in good order; the next may go on at once, and nothing has failed.
struct JobReleased {
  std::string lease_id;
};
struct JobCancelled {};
// The store has seen that the lease may be over; a lease that is not stays.
struct JobLeaseChecked {};

using JobEvent =
    std::variant<JobClaimed, JobHeartbeat, JobCompleted, JobAttemptFailed, JobReleased, JobCancelled, JobLeaseChecked>;

// The job after `event` at `now`; equal to `job` where nothing changes: an event told twice (a retried call) and
// the cancellation of a finished job are no errors.
// A checkpoint never goes back to an older step; listening examples stay until a heartbeat brings others.
// Errors: JOB_NOT_CLAIMABLE; LEASE_LOST where the event's lease is not the job's: what the worker did is void.
absl::StatusOr<Job> Next(const Job& job, const JobEvent& event, absl::Time now, const JobPolicy& policy);

// Whether a claim succeeds. A time further in the future than the job's back-off can be, or a job that was to begin at
// once and comes from the future, is a clock that was set back, and ignored. What the client asked for is not.
bool IsClaimable(const Job& job, absl::Time now, const JobPolicy& policy);
// Whether the worker has been silent for too long, or the lease ends later than any lease can: a clock was set back.
bool LeaseIsOver(const Job& job, absl::Time now, const JobPolicy& policy);
// What no back-off after so many failures comes near: 10 s + 3 failures^4 s, or twice the bound. Queries count the
// same.
absl::Duration FarBackOff(int64_t failures, const JobPolicy& policy);
// failures^4 seconds plus up to a tenth that depends on the job's id, so that what failed together is not retried
// together.
absl::Duration BackOff(const Job& job, const JobPolicy& policy);

}  // namespace ddsp::server
