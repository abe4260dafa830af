// How a session fares: latency of its last blocks, and what went wrong so far. Not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/time/time.h"

namespace ddsp::server {

class SessionTally {
 public:
  static constexpr int kRemembered = 128;  // blocks

  void CountBlock(absl::Duration latency, bool late, bool underrun) {
    latencies_[static_cast<size_t>(blocks_ % kRemembered)] = latency;
    ++blocks_;
    late_ += late;
    underruns_ += underrun;
  }

  int64_t blocks() const { return blocks_; }
  int64_t late() const { return late_; }
  int64_t underruns() const { return underruns_; }
  // Of the last blocks, `q` in 0..1; zero where there are none.
  absl::Duration Latency(double q) const {
    const size_t count = static_cast<size_t>(std::min<int64_t>(blocks_, kRemembered));
    if (count == 0) return absl::ZeroDuration();
    std::array<absl::Duration, kRemembered> sorted = latencies_;
    std::sort(sorted.begin(), sorted.begin() + count);
    return sorted[std::min(count - 1, static_cast<size_t>(q * static_cast<double>(count)))];
  }

 private:
  std::array<absl::Duration, kRemembered> latencies_;
  int64_t blocks_ = 0, late_ = 0, underruns_ = 0;
};

}  // namespace ddsp::server
