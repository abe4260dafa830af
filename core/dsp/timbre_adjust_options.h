// Sliders of the timbre transfer notebook, apart from its shifts. See timbre_transfer.h.
#pragma once

namespace ddsp {

struct TimbreAdjustOptions {
  double threshold = 1.0;   // of the note detector, 0 to 2
  double quiet_db = 20.0;   // taken from frames outside notes: 0 to 60
  double autotune = 0.0;    // share of the distance to the scale that is removed, 0 to 1
  double frame_rate = 250;  // Hz; the note detector smooths over 0.16 s, upstream's 40 frames
};

}  // namespace ddsp
