// How many live streams have to go so that the others are heard in time again: a pure decision; times are given.
//
// Admission promises no more than the machine can do; but a machine may come to do less than it did, and then everybody
// is late together, for good. Who is sent away goes on elsewhere, or begins anew; whoever stays is heard.
#pragma once

#include "server/scheduler/admission.h"

namespace ddsp::server {

class Shedder {
 public:
  // So long streams are late before any is sent away, and after that before more are. Zero: none ever is.
  explicit Shedder(absl::Duration patience) : patience_(patience) {}

  // Of `streams` live ones, never all. Zero where the device and the cores are not what they wait for, and while they
  // catch up. To be asked about once a second.
  int Look(const Headroom& headroom, int streams, absl::Time now);

 private:
  const absl::Duration patience_;
  std::optional<absl::Time> late_since_;
  absl::Duration first_lag_;  // then
};

}  // namespace ddsp::server
