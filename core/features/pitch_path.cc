#include "core/features/pitch_path.h"

#include <algorithm>

namespace ddsp {
namespace {

// best[b] = max over c of best[c] - cost * |b - c|, and which c that is.
void Spread(float cost, std::span<float> best, std::span<int16_t> from) {
  const int n = static_cast<int>(best.size());
  for (int b = 1; b < n; ++b) {
    if (best[b - 1] - cost > best[b]) {
      best[b] = best[b - 1] - cost;
      from[b] = from[b - 1];
    }
  }
  for (int b = n - 2; b >= 0; --b) {
    if (best[b + 1] - cost > best[b]) {
      best[b] = best[b + 1] - cost;
      from[b] = from[b + 1];
    }
  }
}

}  // namespace

void PitchPath::Advance(std::span<const float> evidence) {
  bins_ = static_cast<int>(evidence.size());
  newest_ = (newest_ + 1) % kMaxLag;
  std::array<float, PitchGrid::kMaxBins> glide, leap;
  std::array<int16_t, PitchGrid::kMaxBins> leap_from;
  auto& from = from_[newest_];
  for (int b = 0; b < bins_; ++b) {
    glide[b] = score_[b];
    leap[b] = score_[b] - kJump;
    from[b] = leap_from[b] = static_cast<int16_t>(b);
  }
  Spread(kSlide, std::span(glide).first(bins_), std::span(from).first(bins_));
  Spread(kJumpSlide, std::span(leap).first(bins_), std::span(leap_from).first(bins_));
  for (int b = 0; b < bins_; ++b) {
    if (leap[b] > glide[b]) {
      glide[b] = leap[b];
      from[b] = leap_from[b];
    }
    score_[b] = glide[b] + evidence[b];
  }
  // Only differences matter; without this an endless note would lose them to rounding.
  const float best = *std::max_element(score_.begin(), score_.begin() + bins_);
  for (int b = 0; b < bins_; ++b) score_[b] -= best;
}

void PitchPath::Trace(std::span<int> bins) const {
  int bin = static_cast<int>(std::max_element(score_.begin(), score_.begin() + bins_) - score_.begin());
  for (int i = static_cast<int>(bins.size()) - 1, step = newest_; i >= 0; --i) {
    bins[i] = bin;
    bin = from_[step][bin];
    step = (step + kMaxLag - 1) % kMaxLag;
  }
}

}  // namespace ddsp
