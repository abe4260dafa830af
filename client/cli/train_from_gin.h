// `ddsp train DATASET --gin FILE`: any model of a gin configuration on a data set of examples.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "client/cli/gin_options.h"
#include "core/training/train_model.h"

namespace ddsp::client {

struct TrainGinOptions {
  std::string file;  // empty: no gin, a recipe is trained
  GinOptions gin;
  training::TrainModelOptions train;  // without its configuration
};

absl::Status TrainFromGin(TrainGinOptions options);

}  // namespace ddsp::client
