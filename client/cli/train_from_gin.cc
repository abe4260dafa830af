#include "client/cli/train_from_gin.h"

#include <iostream>

#include "absl/strings/str_format.h"
#include "client/cli/training_progress.h"
#include "core/base/status_macros.h"

namespace ddsp::client {

absl::Status TrainFromGin(TrainGinOptions options) {
  ASSIGN_OR_RETURN(options.train.config, ReadGin(options.file, options.gin));
  StopTrainingOnSignals();
  training::TrainModelEvents events;
  events.say = [](const std::string& line) { std::cerr << line << "\n"; };
  events.step = ShowProgress;
  ASSIGN_OR_RETURN(const training::TrainModelResult result, TrainModel(options.train, events));
  if (result.stopped) {
    return absl::CancelledError("stopped; a checkpoint is written, and the same command goes on from it");
  }
  std::cout << absl::StrFormat("wrote %s: step %d, loss %.3f\n", options.train.out, result.step, result.loss);
  return absl::OkStatus();
}

absl::Status EvaluateFromGin(TrainGinOptions options, const training::ModelViewOptions& view) {
  ASSIGN_OR_RETURN(options.train.config, ReadGin(options.file, options.gin));
  return training::EvaluateModel(options.train, view);
}

absl::Status SampleFromGin(TrainGinOptions options, const training::ModelViewOptions& view) {
  ASSIGN_OR_RETURN(options.train.config, ReadGin(options.file, options.gin));
  return training::SampleModel(options.train, view);
}

}  // namespace ddsp::client
