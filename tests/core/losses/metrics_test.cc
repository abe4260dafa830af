#include "core/losses/metrics.h"

#include "gtest/gtest.h"

namespace ddsp {
namespace {

TEST(PitchAccuracy, ForgivesOctavesOnlyWhenAsked) {
  const at::Tensor f0 = at::full({100}, 220.0);
  EXPECT_EQ(PitchAccuracy(f0, 2 * f0, OctaveErrors::kCount), 0.0);
  EXPECT_EQ(PitchAccuracy(f0, 2 * f0, OctaveErrors::kForgive), 1.0);
  EXPECT_EQ(PitchAccuracy(f0, 1.02 * f0, OctaveErrors::kCount), 1.0);  // 34 cents
  EXPECT_EQ(PitchAccuracy(f0, 1.04 * f0, OctaveErrors::kCount), 0.0);  // 68 cents
}

TEST(PitchAccuracy, UnvoicedReferenceFramesDoNotCount) {
  const at::Tensor f0 = at::tensor({220.0, 0.0, 220.0, 0.0});
  EXPECT_EQ(PitchAccuracy(f0, at::full({4}, 220.0), OctaveErrors::kCount), 1.0);
}

TEST(F0Distance, LooksAtConfidentFramesOnly) {
  const at::Tensor f0 = at::full({4}, 440.0), other = at::tensor({440.0, 880.0, 440.0, 440.0});
  EXPECT_NEAR(*F0Distance(f0, other, at::tensor({1.0, 1.0, 0.0, 0.0})), 6.0, 1e-9);
  EXPECT_FALSE(F0Distance(f0, other, at::zeros({4})).has_value());
}

TEST(EvalCounts, F1IsTheHarmonicMean) {
  const EvalCounts counts = {1, 9, 9};
  EXPECT_NEAR(counts.F1(), 0.1, 1e-12);
  EXPECT_EQ(EvalCounts{}.F1(), 0.0);
}

// The second prediction fits both notes, the first only one: both find a partner.
TEST(CountNotes, MatchesAsManyNotesAsPossible) {
  const std::vector<Note> gt = {{1.00, 2.0, 60}, {1.06, 2.0, 60}}, pred = {{1.03, 2.0, 60}, {1.10, 2.0, 60}};
  EXPECT_EQ(CountNotes(gt, pred, NoteOffsets::kIgnore).tp, 2);
  EXPECT_EQ(CountNotes(gt, {{1.0, 2.0, 61}}, NoteOffsets::kIgnore).tp, 0);
  EXPECT_EQ(CountNotes(gt, {{1.0, 3.0, 60}}, NoteOffsets::kCompare).tp, 0);
}

}  // namespace
}  // namespace ddsp
