// Whether one more live stream fits: a pure decision from what was measured.
//
// The question is whether those who were admitted keep their latency, so it is asked of the future: the load with the
// newcomer at full rate, not only the load of now. Streams that were admitted a moment ago and have not sent anything
// count in full.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/scheduler/load_meter.h"

namespace ddsp::server {

struct AdmissionOptions {
  // Share of the devices' time, and of the machine's cores, that REALTIME streams may be promised; the rest is for what
  // is not measured. Zero: no bound.
  double max_load = 0.85;
  // Part of that share which may be promised in cores to streams that nobody has seen playing yet: what their clients
  // take on the same machine, and what else is wrong with the estimate, is to be seen before more are let in.
  double max_unproven = 0.65;
  // Mean wait of hops for a device, its tick included, or for the crew, above which nobody is let in.
  absl::Duration max_wait = absl::Milliseconds(15);
  // Mean lateness of hops above which nobody is let in.
  absl::Duration max_lag = absl::Milliseconds(250);
};

// Live REALTIME streams of one engine, and what a hop of theirs costs.
struct EngineDemand {
  int streams = 0;
  absl::Duration hop;
  StepCost cost;  // as it is now, not as on a quiet device
};

struct Headroom {
  double busy = 0;    // measured share of the devices' time, 0..1
  double demand = 0;  // share that all admitted streams need at full rate, may exceed 1
  // Share of the cores that they need with all that the process does for them, of what other programs leave; 0: not
  // known.
  double cpu = 0;
  // The part of `cpu` of those that were admitted a moment ago.
  double unproven = 0;
  absl::Duration device_wait, crew_wait;
  // Of the REALTIME hops of the last second: the share that was stepped after its block had been due, and how long
  // after its input had come a hop was stepped in the mean.
  double late = 0;
  absl::Duration lag;
};

// Share of `workers` devices' time that the streams need at full rate, gathered in ticks of up to `tick`, in steps of
// at most `max_batch`.
double Demand(absl::Span<const EngineDemand> engines, int workers, absl::Duration tick, size_t max_batch);

// Why a stream must be refused, in words with the figure; nullopt when there is room. `with` is the headroom with the
// stream counted in `demand`, `load_of_one` its own part.
std::optional<std::string> Refusal(const Headroom& with, double load_of_one, const AdmissionOptions& options);

}  // namespace ddsp::server
