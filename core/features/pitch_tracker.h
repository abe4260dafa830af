#pragma once

#include <array>
#include <span>

#include "core/features/feature_settings.h"
#include "core/features/periodicity.h"
#include "core/features/pitch_grid.h"
#include "core/features/pitch_path.h"

namespace ddsp {

struct PitchEstimate {
  float f0_hz = 0.0f;
  float confidence = 0.0f;
  bool voiced = false;
};

// What pitch tracking remembers of a stream. Plain values of fixed size.
struct PitchState {
  static constexpr int kSlots = PitchPath::kMaxLag + 1;
  static constexpr int kShortLags = 132;

  // One past step, as later estimates need it.
  struct Slot {
    // Correlation of the short window by lag.
    std::array<float, kShortLags> correlation;
    // Confidence of each candidate.
    std::array<float, PitchGrid::kMaxBins> confidence;
  };

  PitchPath path;
  std::array<Slot, kSlots> slots;
  int newest = 0;
  // The long window's power spectrum and correlation at the newest step.
  std::array<float, Periodicity::kMaxFft / 2 + 1> long_power;
  std::array<float, Periodicity::kMaxLag> long_correlation;
  float held_hz = 0.0f;
};

// Follows the pitch of one voice.
//
// Every step() samples the newest sound is compared with all candidate pitches (Periodicity): low ones in a window of
// 1024 samples that ends with the newest sample, the others in one of 384, so that a new note shows sooner; between 160
// and 250 Hz in both. The best path through the candidates (PitchPath) is read at the instant in the middle of the long
// window, up to 320 samples after the short window about that instant was seen. The candidate is then refined to about
// a cent. All of it together looks kHalfWindow samples past the instant and no further.
//
// A note that begins up to 10 ms after the instant counts already: its attack is sounding while the old one rings.
// Measured on the test melodies that is right more often than either the path's own date or an earlier one, and dating
// the attack by where the old period ceases to predict the sound was no better than the fixed lead.
class PitchTracker {
 public:
  // Samples before and after the instant of an estimate.
  static constexpr int kHalfWindow = 512;

  explicit PitchTracker(const FeatureSettings& settings);

  // Samples from one step to the next; divides the hop.
  int step() const { return step_; }

  void Reset(PitchState& state) const;

  // Takes the newest 2 * kHalfWindow samples, step() later than the last time.
  void Advance(std::span<const float> window, PitchState& state) const;

  // The pitch in the middle of `window`, which the last Advance() took.
  PitchEstimate Estimate(std::span<const float> window, PitchState& state) const;

 private:
  // A candidate and the step at which it is read, counted from the estimate's instant.
  struct Reading {
    int bin;
    int step;
    bool steady;
  };
  Reading Read(const PitchState& state) const;
  double RefineInLongWindow(double hz, const PitchState& state) const;
  double RefineInShortWindow(double hz, const PitchState::Slot& slot) const;

  FeatureSettings settings_;
  PitchGrid grid_;
  int step_, lag_, lead_;
  // Candidates from first_short_ on are measured in the short window, those below last_long_ in the long one; from
  // split_ on they are read where the short one was centred.
  int first_short_, last_long_, split_;
  Periodicity long_, short_;
  // Share of the short window in a candidate's evidence.
  std::array<float, PitchGrid::kMaxBins> short_share_;
  // Evidence per unit of log correlation by candidate.
  std::array<float, PitchGrid::kMaxBins> period_weight_;
};

}  // namespace ddsp
