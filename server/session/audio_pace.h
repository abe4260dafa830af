// Whether a stream's input comes faster than audio plays. Not thread-safe; pure: times are given.
//
// A client may send a second of audio at once, or a whole recording. It is welcome, but what it wants before its time
// is not urgent: hops ahead of the audio clock give way to those of streams that are on time. A stream that its server
// has kept waiting is not ahead, however fast it takes what had come in time.
#pragma once

#include <algorithm>

#include "absl/time/time.h"

namespace ddsp::server {

class AudioPace {
 public:
  explicit AudioPace(absl::Duration hop) : hop_(hop) {}

  // The stream takes its next hop now, whose input had come at `arrived`. Returns whether that is ahead of the clock.
  bool Take(absl::Time now, absl::Time arrived) {
    // A client that was held up catches up in a hurry, but not on all that it ever missed.
    due_ = std::max(due_, arrived - kMostLag);
    const bool ahead = due_ > now + kSlackHops * hop_;
    due_ += hop_;
    return ahead;
  }

 private:
  static constexpr absl::Duration kMostLag = absl::Milliseconds(200);
  static constexpr int kSlackHops = 3;

  const absl::Duration hop_;
  absl::Time due_ = absl::InfinitePast();  // of the next hop
};

}  // namespace ddsp::server
