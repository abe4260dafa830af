#include "core/importer/parameter_file.h"

#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/importer/parameter_match.h"

namespace ddsp::importer {
namespace {

constexpr std::string_view kModel = "model/", kStatistics = "statistics/";

// ddsp_pytorch's modules, which an exported model has below "ddsp.".
bool IsOfDdspPytorch(std::string_view name) {
  if (name.starts_with("ddsp.")) name.remove_prefix(5);
  return name.starts_with("in_mlps.") || name.starts_with("out_mlp.") || name.starts_with("proj_matrices.");
}

absl::Status OtherNetwork(const std::string& file, const std::string& name) {
  return absl::UnimplementedError(absl::StrCat(
      file, " has weights of ddsp_pytorch ('", name,
      "'), which is another network: its output stack sees pitch and loudness themselves instead of what the input "
      "stacks made of them, its layer normalisation has an epsilon of 1e-5 instead of 1e-3, its leaky ReLU a slope of "
      "0.01 instead of 0.2, and its reverb is a decaying noise. No mapping of its weights gives the same sound"));
}

bool IsFloat(DType type) {
  return type == DType::kF32 || type == DType::kF16 || type == DType::kBF16 || type == DType::kF64;
}

absl::StatusOr<std::vector<float>> ReadFinite(const Safetensors& file, const std::string& key,
                                              const std::string& name) {
  ASSIGN_OR_RETURN(const TensorView view, file.Get(key));
  if (!IsFloat(view.dtype))
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": '", key, "' has type ", std::string(NameOf(view.dtype)), ", expected floats"));
  ASSIGN_OR_RETURN(std::vector<float> values, file.GetFloats(key));
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]))
      return absl::InvalidArgumentError(absl::StrCat(name, ": value ", i, " of '", key, "' is ", values[i]));
  }
  return values;
}

}  // namespace

absl::StatusOr<ImportedWeights> ReadWeights(const Safetensors& file, const ModelConfig& model,
                                            const std::string& name) {
  std::vector<FoundVariable> variables;
  for (const std::string& key : file.Names()) {
    if (IsOfDdspPytorch(key)) return OtherNetwork(name, key);
    const CheckpointKey known = Classify(key);
    if (known.use == VariableUse::kOptimizerState || known.use == VariableUse::kBookkeeping) continue;
    ASSIGN_OR_RETURN(const TensorView view, file.Get(key));
    // A key that is no checkpoint's is a path; one below "model/" that the table does not know is nothing.
    const bool is_path = known.use == VariableUse::kUnknown && !key.starts_with(kModel);
    variables.push_back({key, is_path ? key : known.path, view.shape});
  }
  ASSIGN_OR_RETURN(const auto keys, MatchParameters(variables, model, name));
  ImportedWeights result;
  for (const VariableShape& variable : model.variables) {
    ASSIGN_OR_RETURN(std::vector<float> values, ReadFinite(file, keys.at(variable.path), name));
    result.weights[variable.path] = {variable.shape, std::move(values)};
  }
  const auto steps = file.metadata().find("steps");
  if (steps != file.metadata().end() && !absl::SimpleAtoi(steps->second, &result.steps))
    return absl::InvalidArgumentError(absl::StrCat(name, ": 'steps' is '", steps->second, "'"));
  return result;
}

std::optional<DatasetStatistics> StatisticsOf(const Safetensors& file) {
  DatasetStatistics statistics;
  for (const auto& [key, text] : file.metadata()) {
    double value = 0;
    if (key.starts_with(kStatistics) && absl::SimpleAtod(text, &value) && std::isfinite(value))
      statistics.numbers[key.substr(kStatistics.size())] = value;
  }
  if (statistics.numbers.empty()) return std::nullopt;
  return statistics;
}

}  // namespace ddsp::importer
