#include "client/cli/train_from_gin.h"

#include <algorithm>
#include <iostream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/training_progress.h"
#include "core/base/status_macros.h"

namespace ddsp::client {

absl::Status TrainFromGin(TrainGinOptions options, const WorkerFlags& workers, int threads) {
  ASSIGN_OR_RETURN(options.train.config, ReadGin(options.file, options.gin));
  LocalWorkers locals;
  std::vector<std::string> for_locals;
  if (threads == 0 && workers.workers > 1) {
    threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / workers.workers);
    for_locals = {"--threads", absl::StrCat(threads)};
  }
  options.train.threads = threads;
  ASSIGN_OR_RETURN(options.train.join, JoinOptionsOf(workers, for_locals, &locals));
  StopTrainingOnSignals();
  training::TrainModelEvents events;
  const bool first = workers.rank == 0;
  events.say = [first](const std::string& line) {
    if (first) std::cerr << line << "\n";
  };
  events.step = first ? ShowProgress : HeedSignals;
  ASSIGN_OR_RETURN(const training::TrainModelResult result, TrainModel(options.train, events));
  RETURN_IF_ERROR(locals.Wait());
  if (result.stopped) {
    return absl::CancelledError("stopped; a checkpoint is written, and the same command goes on from it");
  }
  if (first)
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
