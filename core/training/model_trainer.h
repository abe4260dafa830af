// A training run of any model: batches, checkpoints, metrics, stop and resume (upstream: train_util.train,
// trainers.Trainer).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/gin/config.h"
#include "core/training/batch_source.h"
#include "core/training/metrics_log.h"
#include "core/training/model_step.h"
#include "core/training/trainer.h"

namespace ddsp::training {

struct ModelTrainerOptions {
  ModelStepOptions step;
  int64_t steps = 1000000;
  uint64_t seed = 1;        // of the noise of every step
  std::string directory;    // for checkpoints/ and metrics.jsonl
  std::string begin_from;   // a checkpoint whose weights a new run begins with; empty: those of the model
  std::string description;  // of model and data; a run with another one must not continue this one's checkpoints
  int64_t steps_per_save = 300;
  int checkpoints_to_keep = 3;
  int64_t log_steps = 10;      // metrics are means over so many steps
  double early_stop_loss = 0;  // the run ends once the smoothed loss is at or below; 0: never
  const Clock* clock = &Clock::Steady();
  // The workers that train together, each with the same options, weights to begin with and batches, of which each takes
  // its part; null: this process alone. Rank 0 alone reads checkpoints, logs and saves. Outlives the trainer.
  WorkerGroup* group = nullptr;

  // The settings that the numbers depend on, as text.
  std::string Describe() const;
};

// The settings of a gin configuration: Trainer.learning_rate, lr_decay_steps, lr_decay_rate, grad_clip_norm and
// checkpoints_to_keep, train.num_steps, steps_per_save and early_stop_loss_value; upstream's defaults where it says
// nothing. Errors: INVALID_ARGUMENT with positions.
absl::StatusOr<ModelTrainerOptions> TrainerOptionsFromGin(const gin::Config& config);

class ModelTrainer {
 public:
  // Continues the newest checkpoint in options.directory, or begins. `model` and `batches` outlive the trainer; the
  // model has the trained weights, always. Errors: FAILED_PRECONDITION (a checkpoint of a run with other options,
  // workers with others); those of the group.
  static absl::StatusOr<std::unique_ptr<ModelTrainer>> Create(const ModelTrainerOptions& options,
                                                              const BatchSource& batches, TrainableModel* model);

  // Steps until options.steps are done, the loss is low enough or `observe`, called after every step, says stop, at any
  // worker, or a worker is lost; then writes a checkpoint. The same options, batches and start weights give the same weights, however often a run is
  // stopped and continued.
  absl::Status Run(const std::function<TrainerVerdict(const TrainingProgress&)>& observe);

  const ModelStep& model() const { return step_; }
  const TrainingProgress& progress() const { return progress_; }
  bool stopped_early() const;  // by the loss

 private:
  ModelTrainer(const ModelTrainerOptions& options, const BatchSource& batches, TrainableModel* model);
  bool IsFirst() const { return options_.group == nullptr || options_.group->rank() == 0; }
  absl::Status Begin();
  absl::Status Resume();
  absl::Status Save() const;
  absl::StatusOr<ModelStepReport> Step();
  void Log(const ModelStepReport& report, double seconds);

  const ModelTrainerOptions options_;
  const BatchSource& batches_;
  ModelStep step_;
  std::unique_ptr<MetricsLog> log_;
  TrainingProgress progress_;
  std::map<std::string, double> sums_;  // since the last line of the log
  int64_t summed_ = 0;
};

}  // namespace ddsp::training
