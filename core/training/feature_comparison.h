// How far the features of a rendering are from those of its original, frame by frame (upstream: LoudnessMetrics,
// F0CrepeMetrics and F0Metrics of training/metrics, with our tracker in CREPE's place).
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "core/features/feature_extractor.h"

namespace ddsp::training {

inline constexpr double kF0OutlierSemitones = 12;   // upstream's: a distance above it says that a tracker failed
inline constexpr double kPitchToleranceCents = 50;  // of RPA and RCA, mir_eval's

struct FeatureDistances {
  double loudness_l1_db = 0;         // mean |difference| of A-weighted loudness over all frames
  double voiced_loudness_l1_db = 0;  // over frames voiced in the original
  // Mean |difference| of pitch over frames voiced in both, outliers included, and without them.
  double f0_l1_semitones = 0, f0_l1_without_outliers_semitones = 0;
  double f0_median_cents = 0;  // median |difference| of the same frames
  double f0_outliers = 0;      // share of them that are outliers
  // Shares of the original's voiced frames whose pitch in the rendering, voiced or not, lies within the tolerance; the
  // second with octave errors forgiven.
  double raw_pitch_accuracy = 0, raw_chroma_accuracy = 0;
  double voiced_recall = 0;  // share of the original's voiced frames that are voiced in the rendering
};

class FeatureComparison {
 public:
  // Frames that stand for the same instants; what one has more of is left out.
  void Add(absl::Span<const FeatureFrame> original, absl::Span<const FeatureFrame> rendered);

  // Over all that was added; 0 where there is nothing to divide by.
  FeatureDistances Result() const;

 private:
  void Add(const FeatureFrame& original, const FeatureFrame& rendered);

  double loudness_ = 0, voiced_loudness_ = 0;  // sums
  int64_t frames_ = 0, voiced_ = 0, right_pitch_ = 0, right_chroma_ = 0;
  std::vector<double> semitones_;  // of the frames voiced in both
};

}  // namespace ddsp::training
