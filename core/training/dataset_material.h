// What a voice is trained and tested on: recordings or a data set, read, checked and parted.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/training/example_windows.h"

namespace ddsp::training {

struct MaterialOptions {
  std::string recordings;   // folder or file, or a data set that BuildDatasetIn made
  std::string held_out;     // folder, file or data set that is only evaluated on; empty: a part of the recordings
  SplitOptions split;       // of recordings; a data set says itself how it is parted
  std::string cache;        // folder that takes the shards of recordings
  int sample_rate = 16000;  // of the model, Hz
};

struct MaterialEvents {
  std::function<void(const std::string& line)> say;  // may be empty
  std::function<void(double done)> reading;          // 0..1; may be empty
};

struct TrainingMaterial {
  Dataset training, held_out;  // held_out is empty when it is a part of `training`
  std::vector<Segment> training_windows, held_out_segments;
  const Dataset& held_out_dataset() const { return held_out.recordings.empty() ? training : held_out; }
};

// "3 recordings, 61.0 s, 58.2 s of it voiced"
std::string DescribeData(const Dataset& dataset);

// Errors: those of BuildDataset and ReadShards; FAILED_PRECONDITION (not enough voiced material, a data set of other
// features than the recipe's or of another rate than the model's, a recording that is both trained on and held out).
absl::StatusOr<TrainingMaterial> ReadMaterial(const MaterialOptions& options, const MaterialEvents& events);

// The first `seconds` of held-out sound, of the training material when nothing is held out.
Segment FirstHeldOutSound(const TrainingMaterial& material, double seconds);

}  // namespace ddsp::training
