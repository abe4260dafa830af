// When the next heartbeat is due, and when a lease is over by the worker's own clock. Knows no thread.
#pragma once

#include "absl/time/time.h"

namespace ddsp::worker {

// The server counts a lease from the moment it hears the worker, which is no earlier than the moment the worker spoke:
// counted from there the worker believes in its lease no longer than the server does.
class LeaseTimer {
 public:
  struct Terms {
    absl::Duration lease;      // the job goes to somebody else after so long without a word
    absl::Duration heartbeat;  // how often the server wants one; shorter than the lease
  };
  // `asked`: when the claim was sent.
  LeaseTimer(const Terms& terms, absl::Time asked);

  // The server answered a heartbeat that was sent at `sent`.
  void Answered(absl::Time sent);
  // A heartbeat got no answer up to `now`: the next one comes sooner.
  void Missed(absl::Time now);

  absl::Time next() const { return next_; }
  absl::Time end() const { return end_; }
  bool Over(absl::Time now) const { return now >= end_; }
  // How long a call may take that begins at `now`: several fit into what is left of the lease.
  absl::Duration CallTimeout(absl::Time now) const;

 private:
  const Terms terms_;
  absl::Time next_, end_;
};

}  // namespace ddsp::worker
