// What upstream measured of a training set (dataset_statistics.pkl; training/postprocessing.py,
// compute_dataset_statistics).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ddsp::importer {

// A fitted QuantileTransformer of loudness.
struct LoudnessQuantiles {
  enum class Distribution { kUniform, kNormal };
  Distribution distribution = Distribution::kUniform;
  std::vector<double> references;    // 0 ... 1
  std::vector<double> quantiles_db;  // as many, rising
};

struct DatasetStatistics {
  // "mean_pitch" (MIDI), "mean_power" (dB), "mean_loudness" (dB), their max_, min_, mean_max_, mean_min_ and std_, and
  // each with the suffix _note, over frames of notes. Older files have fewer.
  std::map<std::string, double> numbers;
  std::optional<LoudnessQuantiles> quantile_transform;
};

// `file` is what errors call it. Errors: those of Pickle::Parse; INVALID_ARGUMENT naming the entry that is no finite
// number, or what is wrong with the quantiles.
absl::StatusOr<DatasetStatistics> ParseDatasetStatistics(std::string_view pickle, const std::string& file);
// Errors: NOT_FOUND and RESOURCE_EXHAUSTED (more than 64 MiB) too.
absl::StatusOr<DatasetStatistics> ReadDatasetStatistics(const std::string& path);

}  // namespace ddsp::importer
