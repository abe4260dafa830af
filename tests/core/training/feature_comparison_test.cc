#include "core/training/feature_comparison.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ddsp::training {
namespace {

FeatureFrame Voiced(double hz, float loudness_db) { return {static_cast<float>(hz), 0.9f, true, loudness_db, -20}; }
FeatureFrame Unvoiced(double hz, float loudness_db) { return {static_cast<float>(hz), 0.1f, false, loudness_db, -70}; }
double Raised(double hz, double semitones) { return hz * std::exp2(semitones / 12); }

TEST(FeatureComparison, IsZeroAndOneForTheSame) {
  FeatureComparison comparison;
  const std::vector<FeatureFrame> frames = {Voiced(440, -20), Unvoiced(440, -70)};
  comparison.Add(frames, frames);
  const FeatureDistances distances = comparison.Result();
  EXPECT_EQ(distances.loudness_l1_db, 0);
  EXPECT_EQ(distances.f0_l1_semitones, 0);
  EXPECT_EQ(distances.f0_outliers, 0);
  EXPECT_EQ(distances.raw_pitch_accuracy, 1);
  EXPECT_EQ(distances.voiced_recall, 1);
}

// Five voiced frames: 0.25 semitones off, an octave, two octaves, 0.25 while unvoiced in the rendering, 0.75.
TEST(FeatureComparison, CountsEachFrameWhereItBelongs) {
  const std::vector<FeatureFrame> original = {Voiced(200, -20), Voiced(200, -20), Voiced(200, -20),
                                              Voiced(200, -20), Voiced(200, -20), Unvoiced(200, -80)};
  const std::vector<FeatureFrame> rendered = {Voiced(Raised(200, 0.25), -21), Voiced(Raised(200, 12), -20),
                                              Voiced(Raised(200, -24), -20),  Unvoiced(Raised(200, -0.25), -26),
                                              Voiced(Raised(200, 0.75), -18), Voiced(900, -75)};
  FeatureComparison comparison;
  comparison.Add(original, rendered);
  const FeatureDistances distances = comparison.Result();
  EXPECT_NEAR(distances.loudness_l1_db, (1 + 6 + 2 + 5) / 6.0, 1e-6);
  EXPECT_NEAR(distances.voiced_loudness_l1_db, (1 + 6 + 2) / 5.0, 1e-6);
  EXPECT_NEAR(distances.f0_l1_semitones, (0.25 + 12 + 24 + 0.75) / 4, 1e-4);
  EXPECT_NEAR(distances.f0_outliers, 1.0 / 4, 1e-12) << "an octave is not yet one";
  EXPECT_NEAR(distances.f0_l1_without_outliers_semitones, (0.25 + 12 + 0.75) / 3, 1e-4);
  EXPECT_NEAR(distances.f0_median_cents, 1200, 1e-2);
  EXPECT_NEAR(distances.raw_pitch_accuracy, 2.0 / 5, 1e-12);
  EXPECT_NEAR(distances.raw_chroma_accuracy, 4.0 / 5, 1e-12);
  EXPECT_NEAR(distances.voiced_recall, 4.0 / 5, 1e-12);
}

TEST(FeatureComparison, OfNothingIsZero) {
  const FeatureDistances distances = FeatureComparison().Result();
  EXPECT_EQ(distances.loudness_l1_db, 0);
  EXPECT_EQ(distances.f0_median_cents, 0);
  EXPECT_EQ(distances.raw_pitch_accuracy, 0);
}

TEST(FeatureComparison, LeavesOutWhatOneHasMoreOf) {
  FeatureComparison comparison;
  comparison.Add(std::vector<FeatureFrame>{Voiced(100, 0), Voiced(100, 0)}, std::vector<FeatureFrame>{Voiced(100, -3)});
  EXPECT_NEAR(comparison.Result().loudness_l1_db, 3, 1e-9);
}

}  // namespace
}  // namespace ddsp::training
