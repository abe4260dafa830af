// What turns the features of a data set into the inputs of networks (upstream: training/preprocessing.py).
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "core/dsp/named_tensors.h"
#include "core/models/trainable/gin_arguments.h"

namespace ddsp {

struct Preprocessor {
  // The level among its results: "loudness_db" or "power_db" (upstream: db_key).
  std::string level = "loudness_db";
  // Returns new features, to be added to those given.
  std::function<absl::StatusOr<NamedTensors>(const NamedTensors& features)> run;
};

// preprocessing.F0LoudnessPreprocessor, F0PowerPreprocessor and OnlineF0PowerPreprocessor. The level is computed from
// `audio` where the class does so; without audio, which upstream rejects, from the level that is given. compute_f0,
// True by default, needs CREPE among the supplies: of the size that crepe_saved_model_path names, of any if it is a
// path or None.
Preprocessor PreprocessorFromGin(GinArguments& args);

}  // namespace ddsp
