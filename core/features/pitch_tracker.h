#pragma once

#include <array>
#include <span>

#include "core/base/state_bytes.h"
#include "core/features/feature_settings.h"
#include "core/features/fine_lag_search.h"
#include "core/features/periodicity.h"
#include "core/features/pitch_network.h"
#include "core/features/pitch_path.h"

namespace ddsp {

struct PitchEstimate {
  float f0_hz = 0.0f;
  float confidence = 0.0f;
  bool voiced = false;
};

// What pitch tracking remembers of a stream. Plain values of fixed size.
struct PitchState {
  PitchPath path;
  int bin = 0;
  // Samples since the pitch leapt or a pause ended.
  int since_onset = 0;
  float held_hz = 0.0f;

  void Save(StateWriter& writer) const;
  void Restore(StateReader& reader);
};

// Follows the pitch of one voice.
//
// Four views of the sound about an instant are compared with all candidate pitches (Periodicity): 1024 samples and 384
// about the instant, and the last 384 and 256 before the look-ahead ends. The first tells low pitches and octaves, the
// last show a new note while the old one still rings. A small network weighs what they say (PitchNetwork), the path
// (PitchPath) adds what was before, and the best candidate is refined to about a cent.
//
// A note is reported from where it begins, as far as its attack can be heard within the look-ahead.
class PitchTracker {
 public:
  // Samples before and after the instant of an estimate.
  static constexpr int kHalfWindow = 512;

  // What is found out about one instant of one stream. Scratch: an estimate needs no contents of it.
  struct Analysis {
    std::array<Periodicity::Reading, PitchNetwork::kViews> views;
    // Level of each view, dB.
    std::array<float, PitchNetwork::kViews> levels;
    // Of the long view.
    FineLagSearch::Spectrum spectrum;
  };

  explicit PitchTracker(const FeatureSettings& settings);

  void Reset(PitchState& state) const;

  // An estimate is made in three steps, the second for many streams together. Each stream's result is the same to the
  // bit in any company.
  //
  // Looks at the sound: 2 * kHalfWindow samples, the instant in their middle.
  void Look(std::span<const float> window, Analysis& analysis) const;
  // Compares what was seen with all candidates.
  void Compare(std::span<Analysis> analyses) const;
  // The pitch at the instant, which is a hop after that of the last time.
  PitchEstimate Decide(std::span<const float> window, const Analysis& analysis, PitchState& state) const;

 private:
  using Evidence = std::array<float, PitchGrid::kBins>;

  // What the views say of one candidate.
  struct Belief {
    int bin;
    // Of the short views; the long one has the rest.
    float share;
    // The short view that believes most.
    int best;
    float confidence;
  };

  void Weigh(const Analysis& analysis, Evidence& evidence) const;
  // Takes the evidence into the path and returns the best candidate.
  int Follow(const Analysis& analysis, const Evidence& evidence, PitchState& state) const;
  static Belief Believe(int bin, const Analysis& analysis);
  // The pitch of a candidate to about a cent, in Hz.
  double Refine(const Belief& belief, const Analysis& analysis, const Evidence& evidence, int since_onset) const;
  double RefineInLongView(double hz, const Analysis& analysis) const;
  double RefineInShortView(double hz, int v, const Analysis& analysis) const;

  FeatureSettings settings_;
  std::array<Periodicity, PitchNetwork::kViews> periodicity_;
  PitchNetwork network_;
  FineLagSearch fine_lags_;
  // The candidates inside the settings' range.
  int lowest_, highest_;
  // Weight of an estimate's evidence: 1 at 50 frames per second.
  float weight_;
};

}  // namespace ddsp
