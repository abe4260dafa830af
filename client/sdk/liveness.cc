#include "client/sdk/liveness.h"

#include <algorithm>

namespace ddsp::client {

Liveness::Liveness(absl::Duration ping_interval, absl::Duration dead_after, absl::Time now)
    : ping_interval_(ping_interval), dead_after_(dead_after), last_heard_(now), last_look_(now) {}

void Liveness::Heard(absl::Time now) {
  last_heard_ = last_look_ = now;
  silence_ = asked_at_ = absl::ZeroDuration();
}

Liveness::Verdict Liveness::Look(absl::Time now) {
  silence_ += std::min(now - last_look_, ping_interval_);
  last_look_ = now;
  if (silence_ >= dead_after_) return Verdict::kDead;
  if (silence_ - asked_at_ < ping_interval_) return Verdict::kAlive;
  asked_at_ = silence_;
  return Verdict::kAsk;
}

absl::Time Liveness::next_look() const {
  return last_look_ + std::min(asked_at_ + ping_interval_, dead_after_) - silence_;
}

}  // namespace ddsp::client
