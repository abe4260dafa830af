// The whole way from a data set of examples and a gin configuration to the weights of a model (upstream: ddsp_run
// --mode=train).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "core/gin/config.h"
#include "core/training/distributed/worker_group.h"
#include "core/training/model_trainer.h"

namespace ddsp::training {

struct TrainModelOptions {
  gin::Config config;
  std::string dataset;    // see OpenModelData
  std::string synthetic;  // another, of synthetic notes, trained on beside it (upstream: ZippedProvider); empty: none
  std::string out;        // gets checkpoints/, weights.safetensors, operative_config.gin, metrics.jsonl
  std::string crepe_weights;  // safetensors (core/dsp/crepe_network); empty: none, and no model may need them
  // What wins over the configuration.
  std::optional<int64_t> steps, batch_size;
  std::optional<double> learning_rate, early_stop_loss;
  std::optional<int64_t> log_steps;  // steps between lines of the log
  uint64_t seed = 1;                 // of weights, order and noise
  std::string begin_from;            // a checkpoint whose weights a new run begins with; empty: fresh ones
  bool start_over = false;           // forget the checkpoints in `out`
  int threads = 0;                   // of tensor operations; 0: as many as there are cores
  // The other workers, each with these options but for the rank; 1 worker: this process alone. They share every batch;
  // those whose rank is not 0 write nothing.
  JoinOptions join{.workers = 1};
};

struct TrainModelEvents {
  std::function<void(const std::string& line)> say;
  std::function<TrainerVerdict(const TrainingProgress& progress)> step;
};

struct TrainModelResult {
  int64_t step = 0;      // where the run is
  bool stopped = false;  // told to, before its end
  double loss = 0;       // smoothed
};

// The configuration as it is run.
absl::StatusOr<gin::Config> OperativeConfig(const TrainModelOptions& options);

// Errors: those of ModelFromGin() and CrepeNetwork::Read().
absl::StatusOr<std::unique_ptr<TrainableModel>> MakeModel(const TrainModelOptions& options, const gin::Config& config);

// train.batch_size; upstream's default where the configuration says nothing.
absl::StatusOr<int64_t> BatchSizeOf(const gin::Config& config);

// Trains, or goes on where a run of the same settings in `out` stopped. weights.safetensors has the names of upstream's
// checkpoints below "model/". Errors: those of ModelFromGin(), OpenModelData(), JoinWorkers() and ModelTrainer;
// FAILED_PRECONDITION for workers with another configuration or other data.
absl::StatusOr<TrainModelResult> TrainModel(const TrainModelOptions& options, const TrainModelEvents& events);

}  // namespace ddsp::training
