#include "worker/jobs/lease_timer.h"

#include <algorithm>

namespace ddsp::worker {

LeaseTimer::LeaseTimer(const Terms& terms, absl::Time asked)
    : terms_(terms), next_(asked + terms.heartbeat), end_(asked + terms.lease) {}

void LeaseTimer::Answered(absl::Time sent) {
  next_ = sent + terms_.heartbeat;
  end_ = std::max(end_, sent + terms_.lease);
}

void LeaseTimer::Missed(absl::Time now) { next_ = now + terms_.heartbeat / 4; }

absl::Duration LeaseTimer::CallTimeout(absl::Time now) const {
  return std::clamp((end_ - now) / 2, terms_.heartbeat / 2, std::max(terms_.heartbeat, terms_.lease / 2));
}

}  // namespace ddsp::worker
