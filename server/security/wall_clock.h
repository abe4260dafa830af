#pragma once

#include "core/base/clock.h"

namespace ddsp::server {

// The time of day as the machine has it now: what the dates of keys and tokens mean.
class WallClock : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
};

}  // namespace ddsp::server
