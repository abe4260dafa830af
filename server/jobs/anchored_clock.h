// The time of day, for leases: read once, then counted by the steady clock, so that no jump of the machine's clock
// ends a lease or prolongs one. Servers that share a store should have clocks that agree within a second.
#pragma once

#include "core/base/clock.h"

namespace ddsp::server {

class AnchoredClock : public Clock {
 public:
  absl::Time Now() const override { return wall_ + (Clock::Steady().Now() - steady_); }

 private:
  const absl::Time wall_ = absl::Now();
  const absl::Time steady_ = Clock::Steady().Now();
};

}  // namespace ddsp::server
