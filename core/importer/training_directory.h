// What upstream's training leaves in a directory: checkpoints, operative configurations, statistics of the data set.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace ddsp::importer {

struct TrainingDirectory {
  std::string checkpoint;  // "dir/ckpt-300": without .index
  std::string config;      // "dir/operative_config-0.gin"
  std::string statistics;  // "dir/dataset_statistics.pkl"; empty: there is none
};

// `path` is the directory, or one checkpoint in it ("dir/ckpt-300"). Takes the checkpoint that the file `checkpoint`
// names, or the one of the highest step; the configuration of the highest step.
// Errors: NOT_FOUND naming what is missing.
absl::StatusOr<TrainingDirectory> FindTrainingFiles(const std::string& path);

}  // namespace ddsp::importer
