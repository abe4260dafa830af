// Whether what a file holds is what a model needs: nothing left over, nothing left out.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/importer/model_config.h"

namespace ddsp::importer {

// A variable of a file that is a parameter, or that nothing is known of.
struct FoundVariable {
  std::string key;   // what the file calls it
  std::string path;  // of the parameter that it is; empty: nothing is known of it
  std::vector<int64_t> shape;
};

// The key of every parameter of `model`, by path. Errors: INVALID_ARGUMENT, beginning with `file`, listing every
// variable that no parameter takes, every parameter that none or more than one fills, every shape that differs.
absl::StatusOr<std::map<std::string, std::string>> MatchParameters(const std::vector<FoundVariable>& variables,
                                                                   const ModelConfig& model, const std::string& file);

}  // namespace ddsp::importer
