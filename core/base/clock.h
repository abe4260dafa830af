// Time as a dependency, so that tests can hold it in their hands.
#pragma once

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace ddsp {

// A monotonic clock. Its zero is arbitrary: only differences mean something.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;

  // The machine's steady clock; lives for ever.
  static const Clock& Steady();
};

// A clock that moves only when told to.
class SimClock : public Clock {
 public:
  absl::Time Now() const override { return now_; }
  void Advance(absl::Duration step) { now_ += step; }

 private:
  absl::Time now_ = absl::UnixEpoch();
};

}  // namespace ddsp
