#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/features/pitch_grid.h"

namespace ddsp {

// The most plausible course of the pitch: a Viterbi search over all candidates of a grid, with a fixed lag.
//
// Evidence adds up along a path; moving costs kSlide for each candidate on the way (a glide), or kJump and kJumpSlide
// for each octave (a new note). So evidence too weak for any single frame still decides over a few.
class PitchPath {
 public:
  static constexpr int kMaxLag = 6;

  // Zeroes everything.
  void Reset() { *this = {}; }

  // Adds a step; evidence[bin] is finite.
  void Advance(std::span<const float> evidence);

  // The best path's last lag + 1 bins, oldest first; lag <= kMaxLag.
  void Trace(std::span<int> bins) const;

 private:
  static constexpr float kSlide = 0.05f;
  static constexpr float kJump = 1.0f;
  static constexpr float kJumpSlide = 1.0f / 60.0f;

  int bins_ = 0;
  int newest_ = 0;
  std::array<float, PitchGrid::kMaxBins> score_ = {};
  // [step][bin] the bin before it on the best path there.
  std::array<std::array<int16_t, PitchGrid::kMaxBins>, kMaxLag> from_ = {};
};

}  // namespace ddsp
