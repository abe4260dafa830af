#include "worker/jobs/farewell.h"

namespace ddsp::worker {

bool IsPermanent(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kAlreadyExists:
      return true;
    default:
      return false;
  }
}

Farewell FarewellOf(const absl::Status& ended, StopReason reason) {
  if (reason == StopReason::kLeaseLost) return Farewell::kNone;
  // What was finished in spite of a shutdown is finished.
  if (ended.ok()) return Farewell::kComplete;
  if (reason == StopReason::kCancelled) return Farewell::kFail;
  // Whatever the work ended with: an attempt that was told to stop has not failed.
  if (reason == StopReason::kShutdown && !IsPermanent(ended)) return Farewell::kRelease;
  return IsPermanent(ended) ? Farewell::kFailPermanently : Farewell::kFail;
}

}  // namespace ddsp::worker
