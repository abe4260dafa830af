#pragma once

#include <array>
#include <span>

#include "core/features/feature_settings.h"
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

  explicit PitchTracker(const FeatureSettings& settings);

  void Reset(PitchState& state) const;

  // The pitch in the middle of 2 * kHalfWindow samples, a hop after the last time.
  PitchEstimate Estimate(std::span<const float> window, PitchState& state) const;

 private:
  // What one view says, by lag, spectrum bin and candidate.
  struct View {
    std::array<float, Periodicity::kMaxFft / 2 + 1> power;
    std::array<float, Periodicity::kMaxLag> correlation;
    std::array<float, PitchGrid::kBins> at_period, at_harmonics;
  };
  using Views = std::array<View, PitchNetwork::kViews>;

  using Evidence = std::array<float, PitchGrid::kBins>;

  void Look(std::span<const float> window, Views& views) const;
  void Weigh(std::span<const float> window, const Views& views, Evidence& evidence) const;
  // Takes the evidence into the path and returns the best candidate.
  int Follow(std::span<const float> window, const Evidence& evidence, PitchState& state) const;
  double RefineInLongView(double hz, const View& view) const;
  double RefineInShortView(double hz, const View& view, const Periodicity& periodicity) const;

  FeatureSettings settings_;
  std::array<Periodicity, PitchNetwork::kViews> periodicity_;
  PitchNetwork network_;
  // The candidates inside the settings' range.
  int lowest_, highest_;
  // Weight of an estimate's evidence: 1 at 50 frames per second.
  float weight_;
};

}  // namespace ddsp
