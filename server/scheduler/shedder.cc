#include "server/scheduler/shedder.h"

#include <algorithm>
#include <cmath>

namespace ddsp::server {
namespace {

// Share of hops that come late where listeners hear it all the time, and the load below which something else is wrong.
constexpr double kLateShare = 0.2, kLeastLoad = 0.7;
// They catch up where they are less late than so much of what they were.
constexpr double kCatchingUp = 0.8;
// Load that is left to the others: below all, so that they catch up.
constexpr double kLoadAfter = 0.85;
// Share of the streams that goes at once. The load is an estimate: too few are followed by more.
constexpr double kLeastShare = 0.05, kLargestShare = 0.3;

double LoadOf(const Headroom& headroom) { return std::max({headroom.busy, headroom.demand, headroom.cpu}); }

}  // namespace

int Shedder::Look(const Headroom& headroom, int streams, absl::Time now) {
  const double load = LoadOf(headroom);
  if (patience_ <= absl::ZeroDuration()) return 0;
  if (headroom.late < kLateShare || load < kLeastLoad) {
    late_since_.reset();
    return 0;
  }
  if (!late_since_.has_value()) {
    late_since_ = now;
    first_lag_ = headroom.lag;
  }
  if (now - *late_since_ < patience_) return 0;
  late_since_.reset();
  if (headroom.lag < kCatchingUp * first_lag_) return 0;
  const double share = std::clamp(1 - kLoadAfter / load, kLeastShare, kLargestShare);
  return std::min(std::max(1, static_cast<int>(std::lround(share * streams))), std::max(0, streams - 1));
}

}  // namespace ddsp::server
