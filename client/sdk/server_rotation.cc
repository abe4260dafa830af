#include "client/sdk/server_rotation.h"

#include <algorithm>
#include <utility>

namespace ddsp::client {

ServerRotation::ServerRotation(std::function<std::vector<std::string>()> servers, const RetryPolicy& policy,
                               uint64_t seed)
    : servers_(std::move(servers)), backoff_(policy, seed), current_(servers_().front()) {}

void ServerRotation::BeginRound() {
  round_ = servers_();
  hope_ = false;
  // On from the current one, which comes last.
  const auto at = std::find(round_.begin(), round_.end(), current_);
  if (at != round_.end()) std::rotate(round_.begin(), at + 1, round_.end());
}

std::optional<ServerRotation::Attempt> ServerRotation::Next(const absl::Status& error, absl::Time now) {
  absl::Duration pause;
  if (!in_series_) {
    in_series_ = true;
    BeginRound();
  } else {
    hope_ |= IsPassing(error);
    if (round_.empty()) {
      if (!hope_) return std::nullopt;
      const std::optional<absl::Duration> next = backoff_.Next(error, now, true);
      if (!next) return std::nullopt;
      pause = *next;
      BeginRound();
    }
  }
  current_ = round_.front();
  round_.erase(round_.begin());
  return Attempt{current_, pause};
}

void ServerRotation::Reset() {
  in_series_ = false;
  backoff_.Reset();
}

}  // namespace ddsp::client
