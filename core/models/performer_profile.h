// How a performer plays, and how a voice wants to be played: the live form of upstream's whole-file statistics.
// (ddsp/training/postprocessing.py: fit_quantile_transform, and the octave shift of the timbre transfer notebook.)
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/features/feature_extractor.h"

namespace ddsp {

struct PerformerProfile {
  std::string name;
  std::vector<float> power_quantiles_db;  // evenly spaced from minimum to maximum, of voiced frames; rising; 2 or more
  float mean_pitch_midi = 0;              // of voiced frames
};

// Profiles have at most this many quantiles; MeasureProfile gives as many.
inline constexpr int kProfileQuantiles = 101;

// Errors: INVALID_ARGUMENT that names what is wrong (too few quantiles, falling, not finite, pitch outside 0..127).
absl::Status ValidateProfile(const PerformerProfile& profile);

// Measures voiced frames. Errors: FAILED_PRECONDITION when fewer than one second of them is there, with how much was
// found.
absl::StatusOr<PerformerProfile> MeasureProfile(std::string name, absl::Span<const FeatureFrame> frames,
                                                int frame_rate);

// A profile file is text: one value a line, "name", "mean_pitch_midi", "power_quantiles_db" followed by its numbers.
std::string FormatProfile(const PerformerProfile& profile);
absl::StatusOr<PerformerProfile> ParseProfile(absl::string_view text);
absl::Status WriteProfile(const std::string& path, const PerformerProfile& profile);
absl::StatusOr<PerformerProfile> ReadProfile(const std::string& path);

// Maps the power of one profile's quantiles to the other's. Immutable.
class ProfileMap {
 public:
  // Changes nothing.
  ProfileMap() = default;
  // Both profiles are valid.
  ProfileMap(const PerformerProfile& performer, const PerformerProfile& voice);

  // Beyond the performer's range the difference at its end is kept.
  float PowerDb(float power_db) const;
  // Whole octaves that bring the performer's register to the voice's: 0, 12, -12, ... semitones.
  float octave_shift_semitones() const { return octave_shift_semitones_; }

 private:
  std::vector<float> from_, to_;
  float octave_shift_semitones_ = 0;
};

}  // namespace ddsp
