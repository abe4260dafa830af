// When the samples of a stream's input had come. Not thread-safe; pure: times are given.
//
// A stream may be behind its input, by its own server's fault. What its hops and blocks are late by is counted from the
// message that completed each of them, not from the newest one.
#pragma once

#include <cstdint>
#include <deque>

#include "absl/time/time.h"

namespace ddsp::server {

class ArrivalLog {
 public:
  // The first `samples` samples had come at `at`; both grow.
  void Came(int64_t samples, absl::Time at) {
    newest_ = at;
    if (!spans_.empty() && (samples == spans_.back().end || at < spans_.back().at + kGrain)) {
      spans_.back().end = samples;
    } else {
      spans_.push_back({samples, at});
    }
  }
  // When the first `samples` had come; of more than have come, when the newest had.
  absl::Time Of(int64_t samples) const {
    for (const Span& span : spans_) {
      if (samples <= span.end) return span.at;
    }
    return newest_;
  }
  // Nobody asks for fewer than `samples` again.
  void Forget(int64_t samples) {
    while (!spans_.empty() && spans_.front().end < samples) spans_.pop_front();
  }

 private:
  // Finer than anybody looks: a client that sends single samples makes no longer log.
  static constexpr absl::Duration kGrain = absl::Milliseconds(1);
  struct Span {
    int64_t end = 0;
    absl::Time at;
  };

  std::deque<Span> spans_;
  absl::Time newest_ = absl::InfinitePast();
};

}  // namespace ddsp::server
