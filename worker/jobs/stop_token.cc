#include "worker/jobs/stop_token.h"

namespace ddsp::worker {

void StopToken::Ask(StopReason reason) {
  StopReason before = reason_.load();
  while (before < reason && !reason_.compare_exchange_weak(before, reason)) {
  }
  reading_.Cancel();
  if (reason > StopReason::kShutdown) saving_.Cancel();
}

absl::Status StopToken::status() const {
  switch (reason()) {
    case StopReason::kNone:
      return absl::OkStatus();
    case StopReason::kShutdown:
      return absl::CancelledError("the worker shuts down");
    case StopReason::kCancelled:
      return absl::CancelledError("the job was cancelled");
    case StopReason::kLeaseLost:
      return absl::CancelledError("the lease is lost");
  }
  return absl::CancelledError("told to stop");
}

bool StopToken::WaitFor(absl::Duration duration) {
  reading_.SleepFor(duration);
  return asked();
}

}  // namespace ddsp::worker
