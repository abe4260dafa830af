// Fitting a performance to a voice with the statistics of the whole recording (upstream: the timbre transfer notebook,
// colab/notebooks/timbre_transfer.ipynb). Not for streams: there a performer profile takes its place.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "core/dsp/timbre_adjust_options.h"

namespace ddsp {

// How the voice was played in training.
struct TimbreTarget {
  double mean_pitch_midi = 60;
  std::vector<double> level_quantiles_db;  // of its notes, evenly spaced from minimum to maximum, rising; 2 or more
};

struct Performance {
  at::Tensor f0_hz, f0_confidence, loudness_db;  // [time]
  at::Tensor level_db;                           // [time], what the voice reads: power, or the loudness itself
};

struct AdjustedPerformance {
  at::Tensor f0_hz, level_db;  // [time]; f0 at most MIDI 110
  at::Tensor note_on;          // [time], bool
  double octaves = 0;          // by which the register was shifted
};

// Shifts the register by whole octaves towards the target's, maps the level of the notes to the target's quantiles,
// quietens the rest and pulls the pitch towards a scale. A performance without notes comes back as it was. Throws
// ValueError for shapes that differ, and options out of range.
AdjustedPerformance AdjustTimbre(const Performance& performance, const TimbreTarget& target,
                                 const TimbreAdjustOptions& options = {});

}  // namespace ddsp
