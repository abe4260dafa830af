// Lets so many things of each kind through, and counts the others: a flood of refusals is one line a second, not a
// thousand. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/base/mutex.h"

namespace ddsp::server {

class RateLimit {
 public:
  struct Options {
    double per_second = 1;
    double burst = 5;  // at once, after a quiet time
  };
  // `clock` outlives this.
  RateLimit(const Options& options, const Clock& clock) : options_(options), clock_(clock) {}

  // `kind` is of a small set. How many of the kind were held back since the last that passed; nullopt: this one is
  // held back too.
  std::optional<int64_t> Take(const std::string& kind);

 private:
  struct Bucket {
    double tokens = 0;
    absl::Time at;
    int64_t held_back = 0;
  };
  const Options options_;
  const Clock& clock_;
  Mutex mu_;
  std::map<std::string, Bucket> buckets_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ddsp::server
