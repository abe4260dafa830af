// Tells a job why it has to stop, and ends the transfers that are under way for it.
#pragma once

#include <atomic>

#include "absl/time/time.h"
#include "client/sdk/cancellation.h"

namespace ddsp::worker {

// A later one outranks an earlier one.
enum class StopReason {
  kNone,
  kShutdown,   // the worker ends: save what there is, so that the next one goes on from there
  kCancelled,  // nobody wants the job any more
  kLeaseLost,  // somebody else has the job: nothing of what was done may be published
};

// Any number of threads may call.
class StopToken {
 public:
  // A weaker reason than the one before changes nothing.
  void Ask(StopReason reason);
  StopReason reason() const { return reason_.load(); }
  bool asked() const { return reason() != StopReason::kNone; }
  // CANCELLED, or OK.
  absl::Status status() const;

  // Waits; returns early, with true, when asked to stop.
  bool WaitFor(absl::Duration duration);

  // Of transfers that begin a job: any reason ends them.
  client::Cancellation& reading() { return reading_; }
  // Of transfers that save what a job has made: those go on during a shutdown.
  client::Cancellation& saving() { return saving_; }

 private:
  std::atomic<StopReason> reason_ = StopReason::kNone;
  client::Cancellation reading_, saving_;
};

}  // namespace ddsp::worker
