// What a worker does next when it has no job. A pure decision.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ddsp/v1/jobs.pb.h"

namespace ddsp::worker {

// What the process ends with.
enum class ExitCode {
  kOk = 0,         // told to stop, idle, or enough jobs done
  kFailure = 1,    // the server has no jobs for workers, or the work directory cannot be used
  kUsage = 2,      // a flag is wrong
  kJobFailed = 3,  // with --job: the job failed for good
  kJobLeft = 4,    // with --job: told to stop before the job was done
};

struct ClaimRules {
  std::string job;                         // only this one; empty: any
  int64_t max_jobs = 0;                    // then the worker ends; 0: never
  bool exit_when_idle = false;             // ends when there is nothing to claim
  absl::Duration poll = absl::Seconds(1);  // between claims where nothing waits
  absl::Duration first_pause = absl::Milliseconds(250), longest_pause = absl::Seconds(5);  // server away: doubling
};

struct ClaimState {
  bool stopping = false;
  int64_t jobs = 0;                                    // attempts so far
  bool claimed = false;                                // the last claim gave a job, which has been worked on
  absl::Status error;                                  // of the last claim
  int64_t errors_in_a_row = 0;                         // up to it
  v1::JobState job_state = v1::JOB_STATE_UNSPECIFIED;  // with rules.job, after a claim that gave nothing
};

struct NextMove {
  enum class Kind { kClaim, kExit };
  Kind kind = Kind::kClaim;
  absl::Duration pause;  // before the claim
  ExitCode code = ExitCode::kOk;
};

NextMove NextMoveOf(const ClaimRules& rules, const ClaimState& state);

}  // namespace ddsp::worker
