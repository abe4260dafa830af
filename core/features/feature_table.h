// Pitch and loudness as a table of text: what `ddsp features` and features jobs write, and render jobs play.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/features/feature_extractor.h"

namespace ddsp {

struct FeatureTable {
  int frame_rate = 0;  // Hz
  std::vector<FeatureFrame> frames;
};

// A header line with the columns time_s, f0_hz, f0_confidence, voiced, loudness_db, power_db, then a line for each
// frame.
std::string FormatFeatures(const FeatureTable& table);

// Columns may stand in any order; f0_confidence, voiced and loudness_db may be missing. The frame rate is that of the
// times, which begin at 0 and are evenly spaced.
// Errors: INVALID_ARGUMENT with the number of the line: a column that is missing, a number that is none or not finite,
// a pitch that is not positive, times that are not a frame apart, no frames.
absl::StatusOr<FeatureTable> ParseFeatures(const std::string& text);

}  // namespace ddsp
