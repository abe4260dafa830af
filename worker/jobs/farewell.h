#pragma once

#include "absl/status/status.h"
#include "worker/jobs/stop_token.h"

namespace ddsp::worker {

// How a worker parts with a job.
enum class Farewell {
  kComplete,         // with its result
  kRelease,          // another goes on from the checkpoint at once
  kFail,             // another tries again later
  kFailPermanently,  // it would fail again
  kNone,             // the job is somebody else's
};

// `ended`: how the work ended.
Farewell FarewellOf(const absl::Status& ended, StopReason reason);

// Whether what failed would fail again on any machine: the job asks for what cannot be.
bool IsPermanent(const absl::Status& error);

}  // namespace ddsp::worker
