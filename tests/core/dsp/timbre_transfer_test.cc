#include "core/dsp/timbre_transfer.h"

#include <gtest/gtest.h>

#include "core/dsp/units.h"

namespace ddsp {
namespace {

using at::Tensor;

constexpr int64_t kFrames = 1000;

// Two loud notes, MIDI `low` and `low` + 4, with silence before, between and after.
Performance TwoNotes(double low) {
  const Tensor midi = at::full({kFrames}, low, at::kDouble);
  midi.slice(0, 500, kFrames) += 4;
  const Tensor sounding = at::zeros({kFrames}, at::kBool);
  sounding.slice(0, 100, 400).fill_(true);
  sounding.slice(0, 600, 900).fill_(true);
  const Tensor level = at::where(sounding, -30 + 10 * at::sin(at::arange(kFrames) * 0.05), at::tensor(-75.0));
  return {.f0_hz = MidiToHz(midi), .f0_confidence = sounding.to(at::kDouble), .loudness_db = level, .level_db = level};
}

TimbreTarget Target(double pitch) { return {.mean_pitch_midi = pitch, .level_quantiles_db = {-50, -25, -20}}; }

Tensor NotesOf(const Tensor& x, const AdjustedPerformance& adjusted) { return x.masked_select(adjusted.note_on); }

TEST(TimbreTransfer, ShiftsTheRegisterByOctavesAsTheNotebookRounds) {
  // 62 on average: from 24 below (two octaves) to 30 above (floor of 2.5).
  for (const auto& [target, octaves] : std::vector<std::pair<double, double>>{
           {38, -2}, {56, 0}, {61, 0}, {63, 1}, {80, 1 + 1 /* exactly 1.5 rounds up */}, {92, 2}}) {
    const AdjustedPerformance adjusted = AdjustTimbre(TwoNotes(60), Target(target));
    EXPECT_EQ(adjusted.octaves, octaves) << target;
    EXPECT_TRUE(at::allclose(adjusted.f0_hz, TwoNotes(60).f0_hz * std::exp2(octaves)));
  }
}

TEST(TimbreTransfer, PitchEndsAtMidi110) {
  const AdjustedPerformance adjusted = AdjustTimbre(TwoNotes(60), Target(120));
  EXPECT_LE(HzToMidi(adjusted.f0_hz).max().item<double>(), 110 + 1e-9);
}

TEST(TimbreTransfer, NotesGetTheTargetsQuantiles) {
  const AdjustedPerformance adjusted = AdjustTimbre(TwoNotes(60), Target(62));
  const Tensor level = NotesOf(adjusted.level_db, adjusted);
  EXPECT_NEAR(level.min().item<double>(), -50, 1e-6);
  EXPECT_NEAR(level.max().item<double>(), -20, 1e-6);
  EXPECT_NEAR(level.median().item<double>(), -25, 0.3);
  // The order of loudness stays.
  const Tensor before = NotesOf(TwoNotes(60).level_db, adjusted);
  EXPECT_TRUE(at::all(level.gather(0, before.argsort()).diff() >= 0).item<bool>());
}

TEST(TimbreTransfer, RestsGetQuieterByHowLittleTheyAreNotes) {
  const Performance performance = TwoNotes(60);
  const AdjustedPerformance adjusted = AdjustTimbre(performance, Target(62), {.quiet_db = 40});
  EXPECT_NEAR((adjusted.level_db - performance.level_db)[10].item<double>(), -40, 1e-6);  // no confidence at all
  EXPECT_FALSE(adjusted.note_on[10].item<bool>());
}

TEST(TimbreTransfer, AutotuneMovesNotesOntoAScale) {
  Performance performance = TwoNotes(60);
  performance.f0_hz = performance.f0_hz * std::exp2(0.3 / 12);
  const Tensor tuned = HzToMidi(AdjustTimbre(performance, Target(60), {.autotune = 1}).f0_hz);
  EXPECT_NEAR(tuned[200].item<double>(), 60, 1e-6);
  EXPECT_NEAR(tuned[700].item<double>(), 64, 1e-6);
  const Tensor half = HzToMidi(AdjustTimbre(performance, Target(60), {.autotune = 0.5}).f0_hz);
  EXPECT_NEAR(half[200].item<double>(), 60.15, 1e-6);
}

TEST(TimbreTransfer, WithoutNotesNothingChanges) {
  Performance performance = TwoNotes(60);
  performance.f0_confidence = at::zeros({kFrames}, at::kDouble);
  const AdjustedPerformance adjusted = AdjustTimbre(performance, Target(80));
  EXPECT_TRUE(at::equal(adjusted.f0_hz, performance.f0_hz));
  EXPECT_TRUE(at::equal(adjusted.level_db, performance.level_db));
}

TEST(TimbreTransfer, RejectsWhatItCannotUse) {
  EXPECT_THROW(AdjustTimbre(TwoNotes(60), Target(60), {.threshold = 2.5}), c10::ValueError);
  EXPECT_THROW(AdjustTimbre(TwoNotes(60), Target(60), {.autotune = -0.1}), c10::ValueError);
  EXPECT_THROW(AdjustTimbre(TwoNotes(60), {.level_quantiles_db = {0}}), c10::ValueError);
  Performance uneven = TwoNotes(60);
  uneven.level_db = uneven.level_db.slice(0, 1);
  EXPECT_THROW(AdjustTimbre(uneven, Target(60)), c10::ValueError);
}

}  // namespace
}  // namespace ddsp
