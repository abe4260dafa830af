#include "core/dsp/note_detection.h"
#include "core/dsp/note_heuristics.h"
#include "core/dsp/quantile_transformer.h"
#include "core/dsp/tuning.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ddsp {
namespace {

TEST(Smooth, EvenFiltersLookOneFrameFurther) {
  at::Tensor impulse = at::zeros({100});
  impulse[50] = 40;
  const at::Tensor smoothed = Smooth(impulse, 40);
  EXPECT_EQ(smoothed[30].item<float>(), 1);  // 50 = n + 20
  EXPECT_EQ(smoothed[29].item<float>(), 0);
  EXPECT_EQ(smoothed[69].item<float>(), 1);  // 50 = n - 19
  EXPECT_EQ(smoothed[70].item<float>(), 0);
}

TEST(QuantileTransformer, GoesThereAndBack) {
  std::vector<double> values;
  for (int i = 0; i < 500; ++i) values.push_back(std::sin(0.7 * i) * i);
  const auto transformer = *QuantileTransformer::Fit(values, 200);
  for (const double x : values) EXPECT_NEAR(transformer.Inverse(transformer.Transform(x)), x, 1e-6);
  EXPECT_EQ(transformer.Transform(-1e9), 0);
  EXPECT_EQ(transformer.Transform(1e9), 1);
}

TEST(QuantileTransformer, RejectsNothingToFit) {
  EXPECT_FALSE(QuantileTransformer::Fit({}, 10).ok());
  EXPECT_FALSE(QuantileTransformer::Fit({1.0}, 0).ok());
}

TEST(TuningFactor, FindsAnInstrumentTunedHigh) {
  const at::Tensor steps = at::tensor({60.0, 62.0, 64.0, 65.0, 67.0}).repeat_interleave(20);
  EXPECT_NEAR(TuningFactor(steps + 0.2, at::ones({100}), at::ones({100})), 0.2, 0.011);
}

TEST(AutoTune, ChromaticSnapsToSemitones) {
  const at::Tensor f0 = at::tensor({60.3, 61.9});
  const at::Tensor tuned = AutoTune(f0, 0.0, at::ones({2}), 1.0, TuningScale::kChromatic);
  EXPECT_TRUE(at::allclose(tuned, at::tensor({60.0, 62.0}), 1e-6, 1e-6));
}

TEST(RemoveShort, RemovesOrGluesShortRuns) {
  const std::vector<bool> on = {0, 1, 0, 0, 1, 1, 1, 0};
  EXPECT_EQ(RemoveShort(on, 3), (std::vector<bool>{0, 0, 0, 0, 1, 1, 1, 0}));
}

TEST(SegmentNotes, MakesOneNoteOfEachRun) {
  const std::vector<double> f0 = {440, 440, 0, 880, 880, 880};
  const auto notes = SegmentNotes({1, 1, 0, 1, 1, 1}, f0, NotePitch::kMedian, 100);
  ASSERT_EQ(notes.size(), 2);
  EXPECT_EQ(notes[0].pitch, 69);
  EXPECT_EQ(notes[1].pitch, 81);
  EXPECT_DOUBLE_EQ(notes[1].start, 0.03);
  EXPECT_DOUBLE_EQ(notes[1].end, 0.06);
}

}  // namespace
}  // namespace ddsp
