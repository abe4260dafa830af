// `ddsp train DATASET --gin FILE`: any model of a gin configuration on a data set of examples.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "client/cli/gin_options.h"
#include "core/training/evaluation_model.h"
#include "core/training/train_model.h"

namespace ddsp::client {

struct TrainGinOptions {
  std::string file;  // empty: no gin, a recipe is trained
  GinOptions gin;
  training::TrainModelOptions train;  // without its configuration
};

absl::Status TrainFromGin(TrainGinOptions options);

// `ddsp train DATASET --gin FILE --mode eval | sample`.
absl::Status EvaluateFromGin(TrainGinOptions options, const training::ModelViewOptions& view);
absl::Status SampleFromGin(TrainGinOptions options, const training::ModelViewOptions& view);

}  // namespace ddsp::client
