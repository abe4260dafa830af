// From the variables of a checkpoint to the parameters of a model: one table, nothing left over, nothing left out.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/importer/model_config.h"
#include "core/importer/tensor_bundle.h"

namespace ddsp::importer {

enum class VariableUse {
  kParameter,       // of the model
  kOptimizerState,  // training would continue from it; importing does not need it
  kBookkeeping,     // counters, TensorFlow's description of objects
  kUnknown,
};

struct CheckpointKey {
  VariableUse use = VariableUse::kUnknown;
  std::string path;  // of a parameter: "decoder/dense_out/bias"; our names are upstream's object paths
};

// What a key of the checkpoint is, by the table in checkpoint_map.cc.
CheckpointKey Classify(std::string_view key);

struct ImportedWeight {
  std::vector<int64_t> shape;
  std::vector<float> values;  // row by row
};

struct ImportedWeights {
  std::map<std::string, ImportedWeight> weights;  // by path, as ModelConfig::variables lists them
  int64_t steps = 0;                              // of training; 0: not recorded
};

// Reads every variable of the model. Errors: those of MatchParameters and of TensorBundle::ReadFloats.
absl::StatusOr<ImportedWeights> ReadWeights(const TensorBundle& bundle, const ModelConfig& model);

}  // namespace ddsp::importer
