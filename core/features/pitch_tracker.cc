#include "core/features/pitch_tracker.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/features/frame_level.h"

namespace ddsp {
namespace {

constexpr float kThreshold = 0.15f;
constexpr float kFloorDb = -58.0f;

}  // namespace

PitchTracker::PitchTracker(const FeatureSettings& settings) : settings_(settings) {}

void PitchTracker::Reset(PitchState& state) const {
  state.held_hz = std::sqrt(settings_.min_f0_hz * settings_.max_f0_hz);
}

PitchEstimate PitchTracker::Track(std::span<const float> window, PitchState& state) const {
  constexpr int kMaxLag = 322, kLength = 2 * kHalfWindow - kMaxLag;
  const int max_lag = std::min(kMaxLag - 1, static_cast<int>(settings_.sample_rate / settings_.min_f0_hz) + 1);
  const int min_lag = std::max(2, static_cast<int>(settings_.sample_rate / settings_.max_f0_hz));
  std::array<float, kMaxLag + 1> d;
  d[0] = 1.0f;
  float sum = 0.0f;
  for (int lag = 1; lag <= max_lag + 1; ++lag) {
    // Both segments lie symmetrically about the centre.
    const float* a = window.data() + (2 * kHalfWindow - kLength - lag) / 2;
    float difference = 0.0f;
    for (int i = 0; i < kLength; ++i) difference += (a[i] - a[i + lag]) * (a[i] - a[i + lag]);
    sum += difference;
    d[lag] = sum > 0.0f ? difference * lag / sum : 1.0f;
  }
  int best = -1;
  for (int lag = min_lag; lag <= max_lag; ++lag) {
    if (d[lag] < kThreshold && d[lag] <= d[lag + 1]) {
      best = lag;
      break;
    }
  }
  if (best < 0) best = static_cast<int>(std::min_element(d.begin() + min_lag, d.begin() + max_lag + 1) - d.begin());
  PitchEstimate estimate;
  estimate.confidence = std::clamp(1.0f - d[best], 0.0f, 1.0f);
  const float curve = d[best - 1] - 2.0f * d[best] + d[best + 1];
  const float shift = curve > 0.0f ? std::clamp(0.5f * (d[best - 1] - d[best + 1]) / curve, -1.0f, 1.0f) : 0.0f;
  const float hz = std::clamp(settings_.sample_rate / (best + shift), settings_.min_f0_hz, settings_.max_f0_hz);
  estimate.voiced = d[best] < 0.3f && FramePowerDb(window) > kFloorDb;
  if (estimate.voiced) state.held_hz = hz;
  estimate.f0_hz = state.held_hz;
  return estimate;
}

}  // namespace ddsp
