#pragma once

#include <algorithm>
#include <cmath>

namespace ddsp {

// Candidate pitches, 50 cents apart from 50 Hz to 2100 Hz. An octave is 24 of them and a twelfth 38, to 2 cents; the
// pitch itself is refined between them.
class PitchGrid {
 public:
  static constexpr double kCents = 50.0;
  static constexpr double kLowestHz = 50.0;
  static constexpr int kBins = 131;
  static constexpr int kOctave = 24;
  static constexpr int kTwelfth = 38;

  static double Hz(double bin) { return kLowestHz * std::exp2(bin * kCents / 1200.0); }
  // The nearest candidate; out of range gives the end.
  static int Bin(double hz) {
    return std::clamp(static_cast<int>(std::lround(1200.0 / kCents * std::log2(hz / kLowestHz))), 0, kBins - 1);
  }
};

}  // namespace ddsp
