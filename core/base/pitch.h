// Pitch of one frame. core/dsp/units.h has the same for tensors.
#pragma once

#include <cmath>

namespace ddsp {

// MIDI note number (69 is 440 Hz); frequencies <= 0 map to note 0. Upstream: hz_to_midi.
inline double HzToMidi(double hz) { return hz <= 0 ? 0 : 12 * std::log2(hz / 440.0) + 69; }

}  // namespace ddsp
