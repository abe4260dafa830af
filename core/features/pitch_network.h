#pragma once

#include <array>
#include <span>

#include "core/features/pitch_grid.h"
#include "core/kernels/grid_layer.h"

namespace ddsp {

// Weighs what several views of the sound say of each candidate pitch: a convolution along the grid that also looks an
// octave and a twelfth up and down, and one more over its neighbours. It has no notion of absolute pitch beyond a slow
// trend over the range.
//
// What it has learned that rules did not do: which note is meant while the old one rings on and the new one begins,
// and which octave an attack belongs to. tools/pitch_network/README.md says how the weights were made.
class PitchNetwork {
 public:
  // Of each view: correlation at the period, match with the harmonics (Periodicity).
  static constexpr int kViews = 4;
  static constexpr int kInputs = 2 * kViews;

  PitchNetwork();

  //   views     of each view: correlation at the period, match with the harmonics, both [grid bin]; taken as -1 to 1.
  //   levels    of the second to the last view above the first, dB.
  //   evidence  [grid bin] log likelihood, up to a constant.
  void Weigh(const std::array<const float*, kInputs>& views, std::span<const float> levels,
             std::span<float> evidence) const;

 private:
  kernels::GridLayer first_, second_;
};

}  // namespace ddsp
