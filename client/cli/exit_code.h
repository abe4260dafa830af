// What a program that runs this one can tell errors apart by.
#pragma once

#include "absl/status/status.h"

namespace ddsp::client {

enum class ExitCode {
  kOk = 0,
  kFailure = 1,  // of any kind that has no code of its own
  kUsage = 2,
  kJobFailed = 3,
  kJobCancelled = 4,
  kJobNotDone = 5,
  kNotReached = 6,  // nobody answers at the server's address
  kInterrupted = 130,
};

// For the help of commands that end with them.
inline constexpr char kJobExitCodes[] =
    "Exit codes: 0 the job succeeded, 1 error, 2 usage, 3 the job failed, 4 it was cancelled, 5 it is not done, "
    "6 the server was not reached, 130 interrupted.";

absl::Status WithExitCode(absl::Status error, ExitCode code);
// kOk for OK, kFailure where none was given.
ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace ddsp::client
