#include "server/logs/rate_limit.h"

#include <algorithm>
#include <utility>

namespace ddsp::server {

std::optional<int64_t> RateLimit::Take(const std::string& kind) {
  const absl::Time now = clock_.Now();
  const MutexLock lock(&mu_);
  const auto [found, is_new] = buckets_.try_emplace(kind, Bucket{.tokens = options_.burst, .at = now});
  Bucket& bucket = found->second;
  bucket.tokens =
      std::min(options_.burst, bucket.tokens + options_.per_second * absl::ToDoubleSeconds(now - bucket.at));
  bucket.at = now;
  if (bucket.tokens < 1) {
    ++bucket.held_back;
    return std::nullopt;
  }
  bucket.tokens -= 1;
  return std::exchange(bucket.held_back, 0);
}

}  // namespace ddsp::server
