#include "server/jobs/job_news.h"

namespace ddsp::server {

std::string_view NameOf(JobStep step) {
  constexpr std::string_view kNames[] = {"created",          "claimed",   "released", "attempt_failed", "lease_lost",
                                         "cancel_requested", "succeeded", "failed",   "cancelled"};
  return kNames[static_cast<int>(step)];
}

std::vector<JobStep> StepsOf(const Job& before, const Job& after, const JobEvent& event) {
  std::vector<JobStep> steps;
  if (after.revision == before.revision) return steps;
  const bool waits = after.state == JobState::kRetryable;
  if (std::holds_alternative<JobClaimed>(event)) steps.push_back(JobStep::kClaimed);
  if (std::holds_alternative<JobReleased>(event) && waits) steps.push_back(JobStep::kReleased);
  if (std::holds_alternative<JobAttemptFailed>(event) && waits) steps.push_back(JobStep::kAttemptFailed);
  if (std::holds_alternative<JobLeaseChecked>(event) && after.state != JobState::kRunning) {
    steps.push_back(JobStep::kLeaseLost);
  }
  if (after.cancel_requested && !before.cancel_requested && !IsFinished(after.state)) {
    steps.push_back(JobStep::kCancelRequested);
  }
  if (IsFinished(before.state)) return steps;
  if (after.state == JobState::kSucceeded) steps.push_back(JobStep::kSucceeded);
  if (after.state == JobState::kFailed) steps.push_back(JobStep::kFailed);
  if (after.state == JobState::kCancelled) steps.push_back(JobStep::kCancelled);
  return steps;
}

}  // namespace ddsp::server
