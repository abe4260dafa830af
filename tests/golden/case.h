// One case of a golden file: a call of the reference implementation with its arguments, results and gradients. Both
// layouts that testdata/golden describes (functions, models) come out as the same structure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/dsp/named_tensors.h"
#include "nlohmann/json.hpp"

namespace ddsp::golden {

// A value x matches y if |x - y| <= atol + rtol |y|. One atol, or one for each index of the first axis.
struct Tolerance {
  double rtol = 1e-5;
  std::vector<double> atol = {0.0};
  double median_atol = 0.0;  // bounds the median of |x - y| where positive
};

struct Expected {
  at::Tensor value;
  Tolerance tolerance;
};

struct Case {
  std::string name;
  std::string fn;
  std::string directory;  // of the file that the case comes from
  nlohmann::json args;
  NamedTensors inputs;
  NamedTensors params;
  NamedTensors cotangents;  // weights of the results; the scalar to differentiate is their sum of products
  std::map<std::string, Expected> outputs;  // by result name
  std::map<std::string, Expected> input_gradients;
  std::map<std::string, Expected> param_gradients;
  bool defect = false;
  bool rejected = false;  // from errors.json: the call has to fail
};

// The cases of a safetensors file, or of an errors.json. Errors: INVALID_ARGUMENT that names the file.
absl::StatusOr<std::vector<Case>> ReadCases(const std::string& path);

}  // namespace ddsp::golden
