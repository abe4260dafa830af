// Training examples that sound higher or lower, louder or softer than they were recorded.
#pragma once

#include <cstdint>
#include <vector>

#include "core/training/example_windows.h"

namespace ddsp::training {

struct AugmentationOptions {
  // At most, up and down, below 12. A window is played faster or slower: tempo and timbre go along.
  double pitch_semitones = 0;
  double gain_db = 0;  // at most, up and down
  bool any() const { return pitch_semitones > 0 || gain_db > 0; }
};

struct Variation {
  double pitch_semitones = 0, gain_db = 0;
};

// Of item `item` of the whole batch of a step, uniform within the options: a pure function of the arguments.
Variation DrawVariation(const AugmentationOptions& options, uint64_t seed, int64_t step, int64_t item);

struct WindowSound {
  std::vector<float> audio;
  std::vector<FeatureFrame> frames;
};

// As many samples and frames as CopyAudio and CopyFrames give, varied. A higher window ends up to its own length later
// in the recording, which is why no more than an octave is possible: held-out samples are a window away. Pitch and
// power are what an extractor hears in the new sound; loudness, which weighs by frequency, is that of the old one plus
// the gain.
WindowSound VaryWindow(const Dataset& dataset, const Segment& window, const Variation& variation);

}  // namespace ddsp::training
