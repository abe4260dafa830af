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

  struct Hop {
    bool ahead = false;  // of the clock
    absl::Duration lag;  // since it was wanted: when its input had come, and the hop before it was over
  };

  // The stream takes its next hop now, whose input had come at `arrived`.
  Hop Take(absl::Time now, absl::Time arrived) {
    // A client that was held up catches up in a hurry, but not on all that it ever missed.
    due_ = std::max(due_, arrived - kMostLag);
    // What comes in one message is not late because it takes its time.
    wanted_ = std::clamp(wanted_ + hop_, arrived, std::max(arrived + kSlackHops * hop_, due_));
    const Hop hop{.ahead = due_ > now + kSlackHops * hop_, .lag = std::max(now - wanted_, absl::ZeroDuration())};
    due_ += hop_;
    return hop;
  }

 private:
  static constexpr absl::Duration kMostLag = absl::Milliseconds(200);
  static constexpr int kSlackHops = 3;

  const absl::Duration hop_;
  absl::Time due_ = absl::InfinitePast();     // of the next hop, at the latest
  absl::Time wanted_ = absl::InfinitePast();  // of the last hop
};

}  // namespace ddsp::server
