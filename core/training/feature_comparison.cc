#include "core/training/feature_comparison.h"

#include <algorithm>
#include <cmath>

namespace ddsp::training {
namespace {

double Ratio(double sum, double count) { return count > 0 ? sum / count : 0; }

}  // namespace

void FeatureComparison::Add(absl::Span<const FeatureFrame> original, absl::Span<const FeatureFrame> rendered) {
  for (size_t t = 0; t < std::min(original.size(), rendered.size()); ++t) Add(original[t], rendered[t]);
}

void FeatureComparison::Add(const FeatureFrame& original, const FeatureFrame& rendered) {
  const double db = std::fabs(original.loudness_db - rendered.loudness_db);
  loudness_ += db;
  ++frames_;
  if (!original.voiced) return;
  voiced_loudness_ += db;
  ++voiced_;
  const double semitones = std::fabs(12 * std::log2(rendered.f0_hz / original.f0_hz));
  const double chroma = std::fabs(semitones - 12 * std::floor(semitones / 12 + 0.5));
  right_pitch_ += 100 * semitones < kPitchToleranceCents ? 1 : 0;
  right_chroma_ += 100 * chroma < kPitchToleranceCents ? 1 : 0;
  if (rendered.voiced) semitones_.push_back(semitones);
}

FeatureDistances FeatureComparison::Result() const {
  FeatureDistances result;
  const double voiced = static_cast<double>(voiced_), both = static_cast<double>(semitones_.size());
  result.loudness_l1_db = Ratio(loudness_, static_cast<double>(frames_));
  result.voiced_loudness_l1_db = Ratio(voiced_loudness_, voiced);
  result.raw_pitch_accuracy = Ratio(static_cast<double>(right_pitch_), voiced);
  result.raw_chroma_accuracy = Ratio(static_cast<double>(right_chroma_), voiced);
  result.voiced_recall = Ratio(both, voiced);
  double sum = 0, sum_inside = 0, outliers = 0;
  for (const double semitones : semitones_) {
    sum += semitones;
    (semitones > kF0OutlierSemitones ? outliers : sum_inside) += semitones > kF0OutlierSemitones ? 1 : semitones;
  }
  result.f0_l1_semitones = Ratio(sum, both);
  result.f0_outliers = Ratio(outliers, both);
  result.f0_l1_without_outliers_semitones = Ratio(sum_inside, both - outliers);
  if (!semitones_.empty()) {
    std::vector<double> sorted = semitones_;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    result.f0_median_cents = 100 * *middle;
  }
  return result;
}

}  // namespace ddsp::training
