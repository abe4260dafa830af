// Would a client that plays its output as it comes have run dry? Not thread-safe.
//
// The client in mind holds one block back: it begins to play when the second could be there, and again after each gap.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace ddsp::server {

class PlaybackMeter {
 public:
  // `audio` (a duration of sound) goes out at `now`, `latency` after the input that made it possible had arrived.
  // Returns how long the player had to be silent before it: zero while it still had sound, and where the input itself
  // came that late.
  absl::Duration Deliver(absl::Duration audio, absl::Time now, absl::Duration latency) {
    const absl::Duration dry = dry_from_.has_value() ? now - *dry_from_ : absl::InfiniteDuration();
    if (dry <= absl::ZeroDuration()) {
      *dry_from_ += audio;
      return absl::ZeroDuration();
    }
    dry_from_ = now + 2 * audio;
    return dry <= latency ? dry : absl::ZeroDuration();
  }

 private:
  std::optional<absl::Time> dry_from_;  // when all that was delivered has been played
};

}  // namespace ddsp::server
