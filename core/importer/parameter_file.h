// Parameters of a model as safetensors, under the paths that they have in upstream's checkpoints.
#pragma once

#include "absl/status/statusor.h"
#include "core/base/safetensors.h"
#include "core/importer/checkpoint_map.h"
#include "core/importer/dataset_statistics.h"

namespace ddsp::importer {

// The weights of `model` in a file, whose arrays are called "decoder/dense_out/bias" or by whole keys of checkpoints,
// "model/decoder/dense_out/bias/.ATTRIBUTES/VARIABLE_VALUE"; the optimiser's state is known and left out. `name` is
// what errors call the file. Errors: those of MatchParameters; INVALID_ARGUMENT for a parameter that is no float or not
// finite; UNIMPLEMENTED for weights of ddsp_pytorch, which are those of another network.
absl::StatusOr<ImportedWeights> ReadWeights(const Safetensors& file, const ModelConfig& model, const std::string& name);

// Numbers that the file's metadata has under "statistics/..."; none if it has none.
std::optional<DatasetStatistics> StatisticsOf(const Safetensors& file);

}  // namespace ddsp::importer
