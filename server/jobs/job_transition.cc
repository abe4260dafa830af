#include "server/jobs/job_transition.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/crc32c.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

absl::Status LeaseLost(const Job& job, std::string_view lease_id) {
  return MakeError(Reason::kLeaseLost,
                   absl::StrCat("job ", job.id, " is ", std::string(NameOf(job.state)), " and lease '",
                                std::string(lease_id), "' is not its lease"),
                   {{"job", job.id}, {"lease_id", std::string(lease_id)}, {"state", std::string(NameOf(job.state))}});
}

bool Holds(const Job& job, const std::string& lease_id) {
  return job.state == JobState::kRunning && !lease_id.empty() && job.lease_id == lease_id;
}

// The same worker says again what has been heard already.
bool Held(const Job& job, const std::string& lease_id) { return !lease_id.empty() && job.lease_id == lease_id; }

void Finish(JobState state, absl::Time now, Job* job) {
  job->state = state;
  job->end_time = now;
}

void FailAttempt(std::string error, FailureKind kind, absl::Time now, const JobPolicy& policy, Job* job) {
  job->error = std::move(error);
  if (job->cancel_requested) return Finish(JobState::kCancelled, now, job);
  ++job->failures;
  if (kind == FailureKind::kPermanent || job->failures >= policy.max_failures) {
    return Finish(JobState::kFailed, now, job);
  }
  job->state = JobState::kRetryable;
  job->run_time = now + BackOff(*job, policy);
}

// One function for each kind of event; each changes `job` or says why it cannot.
struct Change {
  Job& job;
  const absl::Time now;
  const JobPolicy& policy;

  absl::Status operator()(const JobClaimed& event) {
    if (!IsClaimable(job, now, policy)) {
      return MakeError(Reason::kJobNotClaimable,
                       absl::StrCat("job ", job.id, " is ", std::string(NameOf(job.state)), ", to run at ",
                                    absl::FormatTime(job.run_time, absl::UTCTimeZone())),
                       {{"job", job.id}});
    }
    job.state = JobState::kRunning;
    job.worker = event.worker;
    job.lease_id = event.lease_id;
    job.lease_expire_time = now + policy.lease;
    ++job.attempts;
    if (job.start_time == absl::UnixEpoch()) job.start_time = now;
    return absl::OkStatus();
  }

  absl::Status operator()(const JobHeartbeat& event) {
    if (!Holds(job, event.lease_id)) return LeaseLost(job, event.lease_id);
    job.lease_expire_time = now + policy.lease;
    if (event.progress.has_value()) {
      std::string examples = event.progress->examples.empty() ? job.progress.examples : event.progress->examples;
      job.progress = *event.progress;
      job.progress.examples = std::move(examples);
    }
    if (event.checkpoint.has_value() && !event.checkpoint->blob.empty() &&
        (job.checkpoint.blob.empty() || event.checkpoint->step > job.checkpoint.step)) {
      job.checkpoint = *event.checkpoint;
      job.failures = 0;
    }
    return absl::OkStatus();
  }

  absl::Status operator()(const JobCompleted& event) {
    if (Held(job, event.lease_id) && job.state == JobState::kSucceeded && job.result == event.result) {
      return absl::OkStatus();
    }
    if (!Holds(job, event.lease_id)) return LeaseLost(job, event.lease_id);
    job.result = event.result;
    job.error.clear();
    Finish(JobState::kSucceeded, now, &job);
    return absl::OkStatus();
  }

  absl::Status operator()(const JobAttemptFailed& event) {
    if (Held(job, event.lease_id) && job.state != JobState::kRunning && job.state != JobState::kSucceeded &&
        job.error == event.error) {
      return absl::OkStatus();
    }
    if (!Holds(job, event.lease_id)) return LeaseLost(job, event.lease_id);
    FailAttempt(event.error, event.kind, now, policy, &job);
    return absl::OkStatus();
  }

  absl::Status operator()(const JobReleased& event) {
    if (Held(job, event.lease_id) && (IsWaiting(job.state) || job.state == JobState::kCancelled)) {
      return absl::OkStatus();
    }
    if (!Holds(job, event.lease_id)) return LeaseLost(job, event.lease_id);
    if (job.cancel_requested) {
      Finish(JobState::kCancelled, now, &job);
    } else {
      job.state = JobState::kRetryable;
      job.run_time = now;
    }
    return absl::OkStatus();
  }

  absl::Status operator()(const JobCancelled&) {
    if (IsWaiting(job.state)) Finish(JobState::kCancelled, now, &job);
    if (!IsFinished(job.state) || job.state == JobState::kCancelled) job.cancel_requested = true;
    return absl::OkStatus();
  }

  absl::Status operator()(const JobLeaseChecked&) {
    if (LeaseIsOver(job, now, policy)) {
      FailAttempt(absl::StrCat("worker ", job.worker, " was not heard of for ", absl::FormatDuration(policy.lease)),
                  FailureKind::kTransient, now, policy, &job);
    }
    return absl::OkStatus();
  }
};

}  // namespace

absl::Status Validate(const JobPolicy& policy) {
  std::vector<std::string> problems;
  if (policy.heartbeat <= absl::ZeroDuration()) {
    problems.push_back(absl::StrCat("heartbeat ", absl::FormatDuration(policy.heartbeat), " is not positive"));
  }
  if (policy.lease < 2 * policy.heartbeat) {
    problems.push_back(absl::StrCat("lease ", absl::FormatDuration(policy.lease), " is shorter than two heartbeats of ",
                                    absl::FormatDuration(policy.heartbeat)));
  }
  if (policy.max_failures < 1) problems.push_back(absl::StrCat("max_failures ", policy.max_failures, " is below 1"));
  if (policy.max_back_off < absl::Seconds(1)) {
    problems.push_back(absl::StrCat("max_back_off ", absl::FormatDuration(policy.max_back_off), " is below 1s"));
  }
  return problems.empty() ? absl::OkStatus() : absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
}

bool IsClaimable(const Job& job, absl::Time now, const JobPolicy& policy) {
  if (!IsWaiting(job.state)) return false;
  if (job.run_time <= now) return true;
  return job.state == JobState::kRetryable ? job.run_time > now + FarBackOff(job.failures, policy)
                                           : job.run_time == job.create_time;
}

bool LeaseIsOver(const Job& job, absl::Time now, const JobPolicy& policy) {
  if (job.state != JobState::kRunning) return false;
  return job.lease_expire_time <= now || job.lease_expire_time > now + 2 * policy.lease;
}

absl::Duration FarBackOff(int64_t failures, const JobPolicy& policy) {
  failures = std::clamp<int64_t>(failures, 0, 1000);
  return std::min(absl::Seconds(10 + 3 * failures * failures * failures * failures), 2 * policy.max_back_off);
}

absl::Duration BackOff(const Job& job, const JobPolicy& policy) {
  const int64_t failures = std::clamp<int64_t>(job.failures, 1, 1000);
  const absl::Duration full = absl::Seconds(failures * failures * failures * failures);
  const double jitter = Crc32c(absl::StrCat(job.id, "/", job.attempts)) * 0x1p-32 * 0.1;
  return std::min(full * (1.0 + jitter), policy.max_back_off);
}

absl::StatusOr<Job> Next(const Job& job, const JobEvent& event, absl::Time now, const JobPolicy& policy) {
  Job next = job;
  if (const absl::Status changed = std::visit(Change{next, now, policy}, event); !changed.ok()) return changed;
  if (!(next == job)) {
    ++next.revision;
    next.update_time = now;
  }
  return next;
}

}  // namespace ddsp::server
