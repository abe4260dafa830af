#include "client/sdk/retry.h"

#include <algorithm>
#include <random>

#include "client/sdk/error.h"

namespace ddsp::client {

bool IsPassing(const absl::Status& error) { return absl::IsUnavailable(error) || absl::IsDeadlineExceeded(error); }

Backoff::Backoff(const RetryPolicy& policy, uint64_t seed)
    : policy_(policy), random_(seed != 0 ? seed : std::random_device()()), pause_(policy.first_pause) {}

std::optional<absl::Duration> Backoff::Next(const absl::Status& error, absl::Time now, bool met) {
  if (!first_failure_) first_failure_ = now;
  const absl::Duration limit = met ? policy_.give_up_after : policy_.give_up_unmet_after;
  // Many clients that lost one server should not come back together.
  std::minstd_rand random(random_++);
  const double chance = std::uniform_real_distribution<double>(0.8, 1.2)(random);
  const absl::Duration pause =
      std::max(std::min(pause_ * chance, policy_.longest_pause), RetryDelayOf(error).value_or(absl::ZeroDuration()));
  pause_ = std::min(pause_ * 2, policy_.longest_pause);
  if (now + pause - *first_failure_ > limit) return std::nullopt;
  return pause;
}

void Backoff::Reset() {
  first_failure_.reset();
  pause_ = policy_.first_pause;
}

}  // namespace ddsp::client
