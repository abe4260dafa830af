#include "core/importer/checkpoint_map.h"

#include "core/base/status_macros.h"
#include "core/importer/parameter_match.h"

namespace ddsp::importer {
namespace {

// Rows are tried in order; a row fits a key that begins with `prefix`, contains `part` and ends with `suffix`. The path
// of a parameter is what is left without prefix and suffix: Keras's layouts and upstream's object paths are ours, so
// that no parameter needs a row of its own.
struct Row {
  std::string_view prefix, part, suffix;
  VariableUse use;
};
constexpr std::string_view kValue = "/.ATTRIBUTES/VARIABLE_VALUE";
constexpr Row kTable[] = {
    // TensorFlow up to 2.10 keeps Adam's moments beside each variable.
    {"model/", "/.OPTIMIZER_SLOT/optimizer/", kValue, VariableUse::kOptimizerState},
    // The model's variables.
    {"model/decoder/input_stacks/", "", kValue, VariableUse::kParameter},
    {"model/decoder/rnn/rnn/cell/", "", kValue, VariableUse::kParameter},
    {"model/decoder/out_stack/", "", kValue, VariableUse::kParameter},
    {"model/decoder/dense_out/", "", kValue, VariableUse::kParameter},
    {"model/encoder/", "", kValue, VariableUse::kParameter},
    {"model/processor_group/", "", kValue, VariableUse::kParameter},
    // optimizer/_variables/N, _iterations, _current_learning_rate (NaN under a schedule); before 2.11 iter, beta_1, ...
    {"optimizer/", "", kValue, VariableUse::kOptimizerState},
    {"save_counter", "", kValue, VariableUse::kBookkeeping},
    {"_CHECKPOINTABLE_OBJECT_GRAPH", "", "", VariableUse::kBookkeeping},
};
constexpr std::string_view kModel = "model/";
constexpr std::string_view kSteps[] = {"optimizer/_iterations/.ATTRIBUTES/VARIABLE_VALUE",
                                       "optimizer/iter/.ATTRIBUTES/VARIABLE_VALUE"};

}  // namespace

CheckpointKey Classify(std::string_view key) {
  for (const Row& row : kTable) {
    if (!key.starts_with(row.prefix) || key.find(row.part) == key.npos || !key.ends_with(row.suffix)) continue;
    if (row.use != VariableUse::kParameter) return {row.use, ""};
    if (key.size() <= row.prefix.size() + row.suffix.size()) break;
    return {row.use, std::string(key.substr(kModel.size(), key.size() - kModel.size() - row.suffix.size()))};
  }
  return {};
}

absl::StatusOr<ImportedWeights> ReadWeights(const TensorBundle& bundle, const ModelConfig& model) {
  std::vector<FoundVariable> variables;
  for (const auto& [key, entry] : bundle.entries()) {
    const CheckpointKey known = Classify(key);
    if (known.use == VariableUse::kOptimizerState || known.use == VariableUse::kBookkeeping) continue;
    variables.push_back({key, known.path, entry.shape});
  }
  ASSIGN_OR_RETURN(const auto keys, MatchParameters(variables, model, "the checkpoint"));
  ImportedWeights result;
  for (const VariableShape& variable : model.variables) {
    ASSIGN_OR_RETURN(std::vector<float> values, bundle.ReadFloats(keys.at(variable.path)));
    result.weights[variable.path] = {variable.shape, std::move(values)};
  }
  for (const std::string_view key : kSteps) {
    if (!bundle.entries().contains(key)) continue;
    ASSIGN_OR_RETURN(result.steps, bundle.ReadInteger(std::string(key)));
  }
  return result;
}

}  // namespace ddsp::importer
