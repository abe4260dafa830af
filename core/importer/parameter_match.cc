#include "core/importer/parameter_match.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ddsp::importer {
namespace {

std::string ShapeText(const std::vector<int64_t>& shape) { return absl::StrCat("[", absl::StrJoin(shape, ","), "]"); }

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> MatchParameters(const std::vector<FoundVariable>& variables,
                                                                   const ModelConfig& model, const std::string& file) {
  std::map<std::string, std::vector<int64_t>> wanted;
  for (const VariableShape& variable : model.variables) wanted[variable.path] = variable.shape;
  std::map<std::string, std::string> keys;
  std::vector<std::string> problems;
  for (const FoundVariable& variable : variables) {
    const auto it = wanted.find(variable.path);
    if (it == wanted.end()) {
      problems.push_back(absl::StrCat("no parameter of the model takes the variable '", variable.key, "'"));
    } else if (it->second != variable.shape) {
      problems.push_back(absl::StrCat("variable '", variable.key, "' has shape ", ShapeText(variable.shape),
                                      ", the model's has ", ShapeText(it->second)));
    }
    const auto [there, added] = keys.emplace(variable.path, variable.key);
    if (!added && it != wanted.end())
      problems.push_back(absl::StrCat("variables '", there->second, "' and '", variable.key, "' are one parameter"));
  }
  for (const auto& [path, shape] : wanted) {
    if (!keys.contains(path)) problems.push_back(absl::StrCat("no variable fills the parameter '", path, "'"));
  }
  if (problems.empty()) return keys;
  return absl::InvalidArgumentError(
      absl::StrCat(file, " does not fit its configuration:\n  ", absl::StrJoin(problems, "\n  ")));
}

}  // namespace ddsp::importer
