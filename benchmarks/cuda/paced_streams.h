// Live streams in process: what a server does for them, without its transport.
#pragma once

#include <cstdint>
#include <vector>

#include "core/streaming/voice_engine.h"

namespace ddsp {

struct PacedOptions {
  int streams = 1;
  double seconds = 10;
  double tick_s = 0.004;  // steps begin at least so far apart, so that hops gather
};

// Of all hops but those of the first second. A hop's latency runs from the time at which its last sample is due to that
// at which its samples are there.
struct PacedFigures {
  std::vector<float> latencies_s;  // sorted
  int64_t steps = 0, hops = 0, faults = 0;
  double busy_s = 0;  // in steps

  double Quantile(double q) const;
  double MeanBatch() const { return steps == 0 ? 0 : static_cast<double>(hops) / static_cast<double>(steps); }
};

// Streams play `recording`, each from a place of its own, in slots 0 .. streams - 1; their hops are due one after the
// other, evenly spread over the length of a hop. Open loop: a stall counts against every hop that it delays.
PacedFigures RunPaced(VoiceEngine& engine, const std::vector<float>& recording, const PacedOptions& options);

}  // namespace ddsp
