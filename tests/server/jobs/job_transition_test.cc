#include "server/jobs/job_transition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

using enum JobState;
using testing::HasSubstr;

const JobPolicy kPolicy;
const absl::Time kNow = absl::FromUnixSeconds(1'000'000);

Job WaitingJob(JobState state = kQueued) {
  return {.id = "train-1", .kind = "train", .state = state, .run_time = kNow, .lease_id = "old"};
}
Job RunningJob() {
  return {.id = "train-1",
          .kind = "train",
          .state = kRunning,
          .attempts = 1,
          .worker = "w",
          .lease_id = "lease",
          .lease_expire_time = kNow + absl::Seconds(10)};
}
Job JobIn(JobState state) {
  if (IsWaiting(state)) return WaitingJob(state);
  Job job = RunningJob();
  job.state = state;
  return job;
}

struct Row {
  JobState from;
  JobEvent event;
  std::string outcome;  // the state after it, or the reason of the error
  bool cancel_requested = false;
};

std::string OutcomeOf(const Row& row) {
  Job job = JobIn(row.from);
  job.cancel_requested = row.cancel_requested;
  const auto next = Next(job, row.event, kNow, kPolicy);
  return next.ok() ? std::string(NameOf(next->state)) : ReasonOf(next.status());
}

const JobEvent kClaim = JobClaimed{"w", "lease"};
const JobEvent kBeat = JobHeartbeat{.lease_id = "lease"};
const JobEvent kDone = JobCompleted{"lease", "{}"};
const JobEvent kOops = JobAttemptFailed{"lease", "oops"};
const JobEvent kBroken = JobAttemptFailed{"lease", "broken", FailureKind::kPermanent};
const JobEvent kRelease = JobReleased{"lease"};
const JobEvent kCancel = JobCancelled{};
const JobEvent kCheck = JobLeaseChecked{};

// Every state with every event: where the job goes, or what is said. The worker's lease is the running job's; that
// of waiting jobs is older.
TEST(Next, EveryStateWithEveryEvent) {
  const Row kTable[] = {
      {kQueued, kClaim, "RUNNING"},
      {kQueued, kBeat, "LEASE_LOST"},
      {kQueued, kDone, "LEASE_LOST"},
      {kQueued, kOops, "LEASE_LOST"},
      {kQueued, kRelease, "LEASE_LOST"},
      {kQueued, kCancel, "CANCELLED"},
      {kQueued, kCheck, "QUEUED"},
      {kRunning, kClaim, "JOB_NOT_CLAIMABLE"},
      {kRunning, kBeat, "RUNNING"},
      {kRunning, kDone, "SUCCEEDED"},
      {kRunning, kOops, "RETRYABLE"},
      {kRunning, kBroken, "FAILED"},
      {kRunning, kRelease, "RETRYABLE"},
      {kRunning, kCancel, "RUNNING"},
      {kRunning, kCheck, "RUNNING"},
      {kRunning, kBeat, "RUNNING", true},
      {kRunning, kDone, "SUCCEEDED", true},
      {kRunning, kOops, "CANCELLED", true},
      {kRunning, kBroken, "CANCELLED", true},
      {kRunning, kRelease, "CANCELLED", true},
      {kRunning, kCancel, "RUNNING", true},
      {kRetryable, kClaim, "RUNNING"},
      {kRetryable, kBeat, "LEASE_LOST"},
      {kRetryable, kDone, "LEASE_LOST"},
      {kRetryable, kOops, "LEASE_LOST"},
      {kRetryable, kRelease, "LEASE_LOST"},
      {kRetryable, kCancel, "CANCELLED"},
      {kRetryable, kCheck, "RETRYABLE"},
      // Finished jobs: their own worker may say again what it said, nothing changes them.
      {kSucceeded, kClaim, "JOB_NOT_CLAIMABLE"},
      {kSucceeded, kBeat, "LEASE_LOST"},
      {kSucceeded, kDone, "LEASE_LOST"},  // with another result
      {kSucceeded, kOops, "LEASE_LOST"},
      {kSucceeded, kRelease, "LEASE_LOST"},
      {kSucceeded, kCancel, "SUCCEEDED"},
      {kSucceeded, kCheck, "SUCCEEDED"},
      {kFailed, kClaim, "JOB_NOT_CLAIMABLE"},
      {kFailed, kBeat, "LEASE_LOST"},
      {kFailed, kDone, "LEASE_LOST"},
      {kFailed, kOops, "LEASE_LOST"},  // with another error
      {kFailed, kRelease, "LEASE_LOST"},
      {kFailed, kCancel, "FAILED"},
      {kFailed, kCheck, "FAILED"},
      {kCancelled, kClaim, "JOB_NOT_CLAIMABLE"},
      {kCancelled, kBeat, "LEASE_LOST"},
      {kCancelled, kDone, "LEASE_LOST"},
      {kCancelled, kOops, "LEASE_LOST"},
      {kCancelled, kRelease, "CANCELLED"},
      {kCancelled, kCancel, "CANCELLED"},
      {kCancelled, kCheck, "CANCELLED"},
  };
  std::set<std::pair<JobState, size_t>> seen;
  for (const Row& row : kTable) {
    EXPECT_EQ(OutcomeOf(row), row.outcome) << NameOf(row.from) << ", event " << row.event.index();
    seen.insert({row.from, row.event.index()});
  }
  EXPECT_EQ(seen.size(), 6 * std::variant_size_v<JobEvent>) << "a pair is missing in the table";
}

TEST(Next, ToldTwiceIsToldOnce) {
  for (const JobEvent& event : {kDone, kOops, kBroken, kRelease}) {
    const Job once = *Next(RunningJob(), event, kNow, kPolicy);
    const auto twice = Next(once, event, kNow + absl::Seconds(1), kPolicy);
    ASSERT_TRUE(twice.ok()) << event.index() << ": " << twice.status();
    EXPECT_EQ(*twice, once) << event.index();
  }
}

TEST(Next, OnlyTheLeaseThatHoldsTheJobCounts) {
  for (const JobEvent& event :
       {JobEvent(JobHeartbeat{.lease_id = "other"}), JobEvent(JobCompleted{"other", "{}"}),
        JobEvent(JobAttemptFailed{"other", "x"}), JobEvent(JobReleased{"other"}), JobEvent(JobReleased{""})}) {
    const auto next = Next(RunningJob(), event, kNow, kPolicy);
    EXPECT_EQ(ReasonOf(next.status()), "LEASE_LOST") << event.index();
    EXPECT_THAT(std::string(next.status().message()), HasSubstr("train-1"));
  }
}

TEST(Next, RevisionRisesByOneWithEveryChangeAndOnlyThen) {
  const Job job = RunningJob();
  EXPECT_EQ(Next(job, kDone, kNow, kPolicy)->revision, job.revision + 1);
  EXPECT_EQ(Next(job, kCheck, kNow, kPolicy)->revision, job.revision);
  EXPECT_EQ(*Next(job, kCheck, kNow, kPolicy), job);
}

TEST(Next, AClaimBeginsALease) {
  const Job job = *Next(WaitingJob(), JobClaimed{"host:7", "new"}, kNow, kPolicy);
  EXPECT_EQ(job.worker, "host:7");
  EXPECT_EQ(job.lease_id, "new");
  EXPECT_EQ(job.lease_expire_time, kNow + absl::Seconds(10));
  EXPECT_EQ(job.attempts, 1);
  EXPECT_EQ(job.start_time, kNow);
}

TEST(Next, AJobIsNotClaimedBeforeItsTime) {
  const absl::Time early = kNow - absl::Microseconds(1);
  EXPECT_EQ(ReasonOf(Next(WaitingJob(), kClaim, early, kPolicy).status()), "JOB_NOT_CLAIMABLE");
  EXPECT_TRUE(Next(WaitingJob(), kClaim, kNow, kPolicy).ok());
}

TEST(Next, AHeartbeatProlongsTheLeaseAndTellsOfACancellation) {
  Job job = *Next(RunningJob(), kCancel, kNow, kPolicy);
  job = *Next(job, JobHeartbeat{.lease_id = "lease", .progress = JobProgress{3, 10, "{}"}}, kNow + absl::Seconds(9),
              kPolicy);
  EXPECT_TRUE(job.cancel_requested);
  EXPECT_EQ(job.lease_expire_time, kNow + absl::Seconds(19));
  EXPECT_EQ(job.progress, (JobProgress{3, 10, "{}"}));
}

TEST(Next, ALateHeartbeatCountsWhileNobodyElseHasTheJob) {
  EXPECT_TRUE(Next(RunningJob(), kBeat, kNow + absl::Minutes(5), kPolicy).ok());
}

TEST(Next, ACheckpointOnlyGoesForward) {
  const auto beat = [](int64_t step, std::string blob) {
    return JobHeartbeat{.lease_id = "lease", .checkpoint = JobCheckpoint{step, std::move(blob)}};
  };
  Job job = *Next(RunningJob(), beat(0, "zero"), kNow, kPolicy);
  EXPECT_EQ(job.checkpoint.blob, "zero");
  job = *Next(job, beat(100, "b"), kNow, kPolicy);
  job = *Next(job, beat(90, "a"), kNow, kPolicy);
  job = *Next(job, beat(100, "c"), kNow, kPolicy);
  job = *Next(job, beat(200, ""), kNow, kPolicy);
  EXPECT_EQ(job.checkpoint, (JobCheckpoint{100, "b"}));
}

TEST(Next, ALeaseEndsWhenItsTimeIsOver) {
  const absl::Time end = kNow + absl::Seconds(10);
  EXPECT_EQ(*Next(RunningJob(), kCheck, end - absl::Microseconds(1), kPolicy), RunningJob());
  const Job over = *Next(RunningJob(), kCheck, end, kPolicy);
  EXPECT_EQ(over.state, kRetryable);
  EXPECT_EQ(over.failures, 1);
  EXPECT_THAT(over.error, HasSubstr("worker w was not heard of for 10s"));
}

TEST(Next, ALeaseThatEndsAfterACancellationCancels) {
  const Job asked = *Next(RunningJob(), kCancel, kNow, kPolicy);
  const Job over = *Next(asked, kCheck, kNow + absl::Seconds(10), kPolicy);
  EXPECT_EQ(over.state, kCancelled);
  EXPECT_EQ(over.end_time, kNow + absl::Seconds(10));
}

// A machine's clock was set back by a day while the store was closed.
TEST(Next, AClockThatWasSetBackHoldsNothingUp) {
  const absl::Time back = kNow - absl::Hours(24);
  EXPECT_TRUE(LeaseIsOver(RunningJob(), back, kPolicy));
  Job job = WaitingJob(kRetryable);
  EXPECT_FALSE(IsClaimable(job, kNow - absl::Seconds(10), kPolicy)) << "clocks differ a little";
  EXPECT_TRUE(IsClaimable(job, kNow - absl::Seconds(11), kPolicy));
  job.failures = 10;
  EXPECT_FALSE(IsClaimable(job, kNow - absl::Hours(8), kPolicy)) << "within reach of its back-off";
  EXPECT_TRUE(IsClaimable(job, kNow - absl::Hours(9), kPolicy));
  job.failures = 25;
  EXPECT_FALSE(IsClaimable(job, kNow - absl::Hours(47), kPolicy));
  EXPECT_TRUE(IsClaimable(job, kNow - absl::Hours(49), kPolicy));
  job.state = kQueued;
  EXPECT_FALSE(IsClaimable(job, kNow - absl::Hours(49), kPolicy)) << "the client asked for it";
  job.create_time = job.run_time;
  EXPECT_TRUE(IsClaimable(job, back, kPolicy)) << "it was to begin at once";
}

TEST(BackOff, IsNeverFar) {
  Job job = WaitingJob(kRetryable);
  for (const absl::Duration most : {absl::Seconds(1), absl::Minutes(7), absl::Hours(24)}) {
    JobPolicy policy = kPolicy;
    policy.max_back_off = most;
    for (job.failures = 0; job.failures < 40; ++job.failures) {
      EXPECT_LT(BackOff(job, policy), FarBackOff(job.failures, policy)) << job.failures;
    }
  }
}

TEST(Next, FailuresInARowEndAJob) {
  Job job = WaitingJob();
  for (int64_t failure = 1; failure <= 25; ++failure) {
    job = *Next(job, kClaim, job.run_time, kPolicy);
    job = *Next(job, kOops, job.update_time, kPolicy);
    EXPECT_EQ(job.state, failure < 25 ? kRetryable : kFailed) << failure;
    EXPECT_EQ(job.attempts, failure);
  }
  EXPECT_EQ(job.error, "oops");
}

// Machines that are taken away every now and then do not end a training that moves.
TEST(Next, AJobThatMovesForwardNeverRunsOutOfAttempts) {
  Job job = WaitingJob();
  for (int64_t attempt = 1; attempt <= 100; ++attempt) {
    job = *Next(job, kClaim, job.run_time, kPolicy);
    job = *Next(job, JobHeartbeat{.lease_id = "lease", .checkpoint = JobCheckpoint{attempt, "blob"}}, job.update_time,
                kPolicy);
    job = *Next(job, kCheck, job.lease_expire_time, kPolicy);
    ASSERT_EQ(job.state, kRetryable) << attempt;
    EXPECT_EQ(job.failures, 1);
  }
}

TEST(Next, AReleasedJobGoesOnAtOnceAndHasNotFailed) {
  const Job job = *Next(RunningJob(), kRelease, kNow, kPolicy);
  EXPECT_EQ(job.failures, 0);
  EXPECT_TRUE(IsClaimable(job, kNow, kPolicy));
}

TEST(BackOff, IsTheFourthPowerOfFailuresAndUpToATenthMore) {
  std::set<absl::Duration> different;
  for (int64_t failures = 1; failures <= 17; ++failures) {
    const Job job{.id = "train-1", .attempts = failures, .failures = failures};
    const double seconds = absl::ToDoubleSeconds(BackOff(job, kPolicy));
    EXPECT_GE(seconds, std::pow(failures, 4));
    EXPECT_LE(seconds, std::pow(failures, 4) * 1.1);
    different.insert(BackOff(job, kPolicy) / (failures * failures * failures * failures));
  }
  EXPECT_GT(different.size(), 10u);
  EXPECT_EQ(BackOff({.failures = 25}, kPolicy), absl::Hours(24));
  EXPECT_EQ(BackOff({.failures = INT64_MAX}, kPolicy), absl::Hours(24));
}

TEST(ValidateJobPolicy, NamesEveryProblem) {
  EXPECT_EQ(Validate(JobPolicy{}), absl::OkStatus());
  const absl::Status error = Validate({.lease = absl::Seconds(1),
                                       .heartbeat = absl::Seconds(2),
                                       .max_failures = 0,
                                       .max_back_off = absl::ZeroDuration()});
  EXPECT_EQ(error.code(), absl::StatusCode::kInvalidArgument);
  for (const char* part : {"lease 1s", "max_failures 0", "max_back_off 0"}) {
    EXPECT_THAT(std::string(error.message()), HasSubstr(part));
  }
}

}  // namespace
}  // namespace ddsp::server
