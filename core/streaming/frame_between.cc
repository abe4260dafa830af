#include "core/streaming/frame_between.h"

#include <cmath>

namespace ddsp {
namespace {

float Between(float from, float to, double share) { return static_cast<float>(from + (to - from) * share); }

}  // namespace

FeatureFrame FrameBetween(const FeatureFrame& from, const FeatureFrame& to, double share) {
  if (share >= 1) return to;
  FeatureFrame frame = share < 0.5 ? from : to;
  frame.f0_confidence = Between(from.f0_confidence, to.f0_confidence, share);
  frame.loudness_db = Between(from.loudness_db, to.loudness_db, share);
  frame.power_db = Between(from.power_db, to.power_db, share);
  if (from.voiced && to.voiced) {
    const double octaves = std::log2(static_cast<double>(to.f0_hz) / from.f0_hz);
    if (std::fabs(octaves) <= kGlideSemitones / 12)
      frame.f0_hz = static_cast<float>(from.f0_hz * std::exp2(octaves * share));
  }
  return frame;
}

}  // namespace ddsp
