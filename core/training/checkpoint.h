// Everything that a run must remember to go on as if it had never stopped. Random draws and the shuffle are pure
// functions of seed and step, so the two numbers are their state.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/training/voice_network.h"

namespace ddsp::training {

// Names and shapes of a model's weights.
using ParameterShapeMap = std::map<std::string, std::vector<int64_t>>;

struct Checkpoint {
  int64_t step = 0;  // updates done
  uint64_t seed = 0;
  std::string run_options;  // of the run that wrote it; a run with others must not continue it
  Parameters weights, first_moments, second_moments;
  double smoothed_loss = 0;  // of the steps until here; 0: not known
};

// <directory>/checkpoint-<step>.safetensors, the step in nine digits.
std::string CheckpointPath(const std::string& directory, int64_t step);

// Paths of the checkpoints in a folder, oldest first; none where there is no folder.
std::vector<std::string> ListCheckpoints(const std::string& directory);

// The newest checkpoint's path, whether it can be read or not; empty where there is none.
std::string LatestCheckpoint(const std::string& directory);

// Writes checkpoint-<step>.safetensors by rename, then deletes all but the newest `keep`.
absl::Status WriteCheckpoint(const std::string& directory, const Checkpoint& checkpoint, int keep = 3);

// Errors: INVALID_ARGUMENT that names file and tensor; NOT_FOUND.
absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path, const ParameterShapeMap& shapes);
absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path, const VoiceShape& shape);

// The newest that can be read: a damaged one falls back to the one before. Errors: NOT_FOUND when there is none.
absl::StatusOr<Checkpoint> ReadLatestCheckpoint(const std::string& directory, const ParameterShapeMap& shapes);
absl::StatusOr<Checkpoint> ReadLatestCheckpoint(const std::string& directory, const VoiceShape& shape);

}  // namespace ddsp::training
