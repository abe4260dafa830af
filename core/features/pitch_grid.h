#pragma once

#include <algorithm>
#include <cmath>

namespace ddsp {

// Candidate pitches, 20 cents apart from the lower end of the range to at least its upper end.
class PitchGrid {
 public:
  // 50 to 2100 Hz needs 325.
  static constexpr int kMaxBins = 328;
  static constexpr double kCents = 20.0;

  PitchGrid(double min_hz, double max_hz)
      : min_hz_(min_hz), bins_(static_cast<int>(std::ceil(1200.0 * std::log2(max_hz / min_hz) / kCents)) + 1) {}

  int bins() const { return bins_; }
  double Hz(double bin) const { return min_hz_ * std::exp2(bin * kCents / 1200.0); }
  // The nearest candidate; out of range gives the end.
  int Bin(double hz) const {
    return std::clamp(static_cast<int>(std::lround(1200.0 / kCents * std::log2(hz / min_hz_))), 0, bins_ - 1);
  }

 private:
  double min_hz_;
  int bins_;
};

}  // namespace ddsp
