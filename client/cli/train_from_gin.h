// `ddsp train DATASET --gin FILE`: any model of a gin configuration on a data set.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "client/cli/gin_options.h"
#include "client/cli/train_workers.h"
#include "core/training/evaluation_model.h"
#include "core/training/train_model.h"

namespace ddsp::client {

struct TrainGinOptions {
  std::string file;  // empty: no gin, a recipe is trained
  GinOptions gin;
  training::TrainModelOptions train;  // without its configuration
};

// With other workers, where `workers` says so. `threads` of LibTorch; 0: as it likes, or this worker's share of the
// cores.
absl::Status TrainFromGin(TrainGinOptions options, const WorkerFlags& workers, int threads);

// `ddsp train DATASET --gin FILE --mode eval | sample`.
absl::Status EvaluateFromGin(TrainGinOptions options, const training::ModelViewOptions& view);
absl::Status SampleFromGin(TrainGinOptions options, const training::ModelViewOptions& view);

}  // namespace ddsp::client
