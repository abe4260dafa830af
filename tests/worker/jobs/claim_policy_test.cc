#include "worker/jobs/claim_policy.h"

#include <gtest/gtest.h>

namespace ddsp::worker {
namespace {

void ExpectExit(const NextMove& move, ExitCode code) {
  EXPECT_EQ(move.kind, NextMove::Kind::kExit);
  EXPECT_EQ(move.code, code);
}

void ExpectClaim(const NextMove& move, absl::Duration pause) {
  EXPECT_EQ(move.kind, NextMove::Kind::kClaim);
  EXPECT_EQ(move.pause, pause);
}

TEST(ClaimPolicy, AsksAgainAtOnceAfterAJobAndLaterWhenNothingWaits) {
  ClaimState state;
  state.claimed = true;
  state.jobs = 7;
  ExpectClaim(NextMoveOf({}, state), absl::ZeroDuration());
  state.claimed = false;
  ExpectClaim(NextMoveOf({}, state), ClaimRules().poll);
}

TEST(ClaimPolicy, WaitsTwiceAsLongAfterEveryFailureUpToABound) {
  ClaimState state;
  state.error = absl::UnavailableError("nobody there");
  absl::Duration before;
  for (state.errors_in_a_row = 1; state.errors_in_a_row < 100; ++state.errors_in_a_row) {
    const NextMove move = NextMoveOf({}, state);
    const absl::Duration wanted = state.errors_in_a_row == 1 ? ClaimRules().first_pause : 2 * before;
    ExpectClaim(move, std::min(wanted, ClaimRules().longest_pause));
    before = move.pause;
  }
}

TEST(ClaimPolicy, EndsWhenTheServerWillNeverHaveJobs) {
  ClaimState state;
  state.errors_in_a_row = 1;
  state.error = absl::UnimplementedError("no jobs here");
  ExpectExit(NextMoveOf({}, state), ExitCode::kFailure);
  state.error = absl::InvalidArgumentError("kinds");
  ExpectExit(NextMoveOf({}, state), ExitCode::kFailure);
}

TEST(ClaimPolicy, EndsWhenToldIdleOrDone) {
  ClaimState state;
  state.stopping = true;
  ExpectExit(NextMoveOf({}, state), ExitCode::kOk);
  ClaimRules rules;
  rules.exit_when_idle = true;
  state = {};
  ExpectExit(NextMoveOf(rules, state), ExitCode::kOk);
  state.error = absl::UnavailableError("a server that is away is not idle");
  EXPECT_EQ(NextMoveOf(rules, state).kind, NextMove::Kind::kClaim);
  rules.max_jobs = 2;
  state = {};
  state.claimed = true;
  state.jobs = 1;
  EXPECT_EQ(NextMoveOf(rules, state).kind, NextMove::Kind::kClaim);
  state.jobs = 2;
  ExpectExit(NextMoveOf(rules, state), ExitCode::kOk);
}

// A machine that was started for one job waits out its back-off and says how it ended.
TEST(ClaimPolicy, StaysWithItsOneJobUntilThatIsDone) {
  ClaimRules rules;
  rules.job = "jobs/train-1";
  rules.exit_when_idle = true;
  rules.max_jobs = 1;
  ClaimState state;
  state.jobs = 3;
  for (const v1::JobState waiting : {v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING, v1::JOB_STATE_RETRYABLE}) {
    state.job_state = waiting;
    ExpectClaim(NextMoveOf(rules, state), rules.poll);
  }
  state.job_state = v1::JOB_STATE_SUCCEEDED;
  ExpectExit(NextMoveOf(rules, state), ExitCode::kOk);
  state.job_state = v1::JOB_STATE_FAILED;
  ExpectExit(NextMoveOf(rules, state), ExitCode::kJobFailed);
  state.job_state = v1::JOB_STATE_RETRYABLE;
  state.stopping = true;
  ExpectExit(NextMoveOf(rules, state), ExitCode::kJobLeft);
}

}  // namespace
}  // namespace ddsp::worker
