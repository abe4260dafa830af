// How long the features of a record are (upstream: training/data.py, TFRecordProvider).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/datasets/example_record.h"

namespace ddsp {

// Where frame t lies: on samples from t * hop, or around t * hop, which makes one more. Upstream: centered.
enum class RecordFrames { kFromHop, kCentered };

struct RecordLayout {
  double example_secs = 4;
  int sample_rate = 16000;  // Hz, of `audio`; `audio_16k` has 16 kHz
  int frame_rate = 250;     // Hz
  RecordFrames frames = RecordFrames::kFromHop;
};

// "--example-secs 4 --sample-rate 16000 --frame-rate 250 --centered".
std::string FlagsOf(const RecordLayout& layout);

// The features of a data set and the number of values of each: audio, audio_16k, f0_hz, f0_confidence, loudness_db.
// Errors: INVALID_ARGUMENT naming a value that is not positive, or that gives no whole number of samples or frames.
absl::StatusOr<std::map<std::string, int64_t>> LengthsOf(const RecordLayout& layout);

// Layouts that have just the lengths of a record; those that there is a reason to think of.
std::vector<RecordLayout> FittingLayouts(const ExampleRecord& record, const RecordLayout& wanted);

// Whether a record has finite floats under `name`. Errors: INVALID_ARGUMENT naming the feature and what it has.
absl::Status CheckFeature(const ExampleRecord& record, const std::string& name);

// Whether a record is as `layout` says. Older releases wrote no audio_16k; it need not be there.
// Errors: INVALID_ARGUMENT naming the feature that is missing, has other than finite floats, or another length: how
// many values it has, how many were expected, and which flags would fit.
absl::Status CheckRecord(const ExampleRecord& record, const RecordLayout& layout);

}  // namespace ddsp
