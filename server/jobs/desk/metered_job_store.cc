#include "server/jobs/desk/metered_job_store.h"

#include "core/base/clock.h"
#include "core/base/status_macros.h"

namespace ddsp::server {

std::function<void(const Job& job)> CountEnds(JobMetrics& metrics) {
  return [&metrics](const Job& job) {
    metrics.JobFinished(job.kind, NameOf(job.state));
    if (job.start_time == absl::UnixEpoch()) return;
    metrics.JobTook(job.kind, absl::ToDoubleSeconds(job.end_time - job.start_time));
  };
}

absl::StatusOr<std::vector<Job>> MeteredJobStore::Claim(const JobClaim& claim) {
  const absl::Time begin = Clock::Steady().Now();
  absl::StatusOr<std::vector<Job>> jobs = store_->Claim(claim);
  metrics_.ClaimTook(absl::ToDoubleSeconds(Clock::Steady().Now() - begin));
  if (!jobs.ok()) return jobs;
  for (const Job& job : *jobs) metrics_.JobClaimed(job.kind, absl::ToDoubleSeconds(job.update_time - job.run_time));
  return jobs;
}

absl::StatusOr<int64_t> MeteredJobStore::ExpireLeases(int64_t max_jobs) {
  ASSIGN_OR_RETURN(const int64_t expired, store_->ExpireLeases(max_jobs));
  metrics_.LeasesExpired(static_cast<double>(expired));
  return expired;
}

}  // namespace ddsp::server
