#include "worker/jobs/claim_policy.h"

#include <algorithm>
#include <cmath>

namespace ddsp::worker {
namespace {

NextMove Exit(ExitCode code) { return {NextMove::Kind::kExit, absl::ZeroDuration(), code}; }
NextMove ClaimAfter(absl::Duration pause) { return {NextMove::Kind::kClaim, pause, ExitCode::kOk}; }

// The same call would be answered in the same way for ever.
bool IsHopeless(const absl::Status& error) {
  return absl::IsUnimplemented(error) || absl::IsInvalidArgument(error) || absl::IsNotFound(error) ||
         absl::IsPermissionDenied(error) || absl::IsUnauthenticated(error);
}

}  // namespace

NextMove NextMoveOf(const ClaimRules& rules, const ClaimState& state) {
  if (state.stopping) return Exit(rules.job.empty() ? ExitCode::kOk : ExitCode::kJobLeft);
  if (!state.error.ok()) {
    if (IsHopeless(state.error)) return Exit(ExitCode::kFailure);
    const double doublings = static_cast<double>(std::clamp<int64_t>(state.errors_in_a_row - 1, 0, 30));
    return ClaimAfter(std::min(rules.first_pause * std::exp2(doublings), rules.longest_pause));
  }
  if (rules.max_jobs > 0 && state.jobs >= rules.max_jobs && rules.job.empty()) return Exit(ExitCode::kOk);
  switch (state.job_state) {
    case v1::JOB_STATE_SUCCEEDED:
    case v1::JOB_STATE_CANCELLED:
      return Exit(ExitCode::kOk);
    case v1::JOB_STATE_FAILED:
      return Exit(ExitCode::kJobFailed);
    default:
      break;
  }
  if (state.claimed) return ClaimAfter(absl::ZeroDuration());
  if (rules.exit_when_idle && rules.job.empty()) return Exit(ExitCode::kOk);
  return ClaimAfter(rules.poll);
}

}  // namespace ddsp::worker
