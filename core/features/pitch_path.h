#pragma once

#include <array>
#include <span>

#include "core/base/state_bytes.h"
#include "core/features/pitch_grid.h"

namespace ddsp {

// The most plausible pitch so far: a Viterbi search over the candidates of the grid, without lag.
//
// Evidence adds up along a path; a step of up to kGlide candidates costs kSlide each, any other kJump. So evidence too
// weak for any single frame still decides over a few. Clean sound hardly needs it: the evidence already looks ahead.
class PitchPath {
 public:
  // Adds a step and returns the candidate with the best path to it; evidence[bin] is finite.
  int Advance(std::span<const float> evidence);

  void Save(StateWriter& writer) const { writer.Floats(score_); }
  void Restore(StateReader& reader) { reader.Floats(absl::MakeSpan(score_)); }

 private:
  static constexpr int kGlide = 3;
  static constexpr float kSlide = 0.05f;
  static constexpr float kJump = 1.0f;

  std::array<float, PitchGrid::kBins> score_ = {};
};

}  // namespace ddsp
