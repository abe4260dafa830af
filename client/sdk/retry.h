// When a call that failed is made again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/sdk/cancellation.h"
#include "core/base/clock.h"

namespace ddsp::client {

struct RetryPolicy {
  // The first pause; each one is twice the one before, give or take a fifth.
  absl::Duration first_pause = absl::Milliseconds(100);
  absl::Duration longest_pause = absl::Seconds(5);
  // Longest series of failures, from its first one on, before the last error is returned. 0: no call is repeated.
  absl::Duration give_up_after = absl::Minutes(5);
  // The same as long as the server has never answered: its address may be wrong.
  absl::Duration give_up_unmet_after = absl::Seconds(5);
};

struct CallOptions {
  // For one attempt.
  absl::Duration timeout = absl::Seconds(30);
  RetryPolicy retry;
  // Ends calls and pauses with CANCELLED; may be null, else it outlives them.
  Cancellation* cancellation = nullptr;
  // Outlives the calls.
  const Clock* clock = &Clock::Steady();
  // Waits between attempts; unset: as long as it is told to, or until cancelled.
  std::function<void(absl::Duration)> pause;
  // Of the pauses' chance; 0: another each time.
  uint64_t seed = 0;
};

// Whether the same call may succeed later: UNAVAILABLE and DEADLINE_EXCEEDED.
bool IsPassing(const absl::Status& error);

// Says how long to pause in one series of failures. Knows no thread.
class Backoff {
 public:
  Backoff(const RetryPolicy& policy, uint64_t seed);

  // The pause before the next attempt, at least what the server asked for with google.rpc.RetryInfo; nullopt: give up.
  // `met`: the server has answered before.
  std::optional<absl::Duration> Next(const absl::Status& error, absl::Time now, bool met);
  // Something succeeded: the next failure begins a new series.
  void Reset();

 private:
  const RetryPolicy policy_;
  uint64_t random_;
  std::optional<absl::Time> first_failure_;
  absl::Duration pause_;
};

}  // namespace ddsp::client
