#include "core/features/pitch_path.h"

#include <algorithm>

namespace ddsp {

int PitchPath::Advance(std::span<const float> evidence) {
  constexpr int kBins = PitchGrid::kBins;
  // Scores are relative to the best, which keeps an endless note from losing them to rounding.
  std::array<float, kBins + 2 * kGlide> before;
  before.fill(-kJump);
  for (int b = 0; b < kBins; ++b) before[kGlide + b] = std::max(score_[b], -kJump);
  for (int b = 0; b < kBins; ++b) {
    float best = before[kGlide + b];
    for (int d = 1; d <= kGlide; ++d) {
      best = std::max(best, std::max(before[kGlide + b - d], before[kGlide + b + d]) - d * kSlide);
    }
    score_[b] = std::max(best, -kJump) + evidence[b];
  }
  const auto best = std::max_element(score_.begin(), score_.end());
  const float highest = *best;
  for (float& score : score_) score -= highest;
  return static_cast<int>(best - score_.begin());
}

}  // namespace ddsp
