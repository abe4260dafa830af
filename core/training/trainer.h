// A training run: batches in shuffled order, checkpoints by the clock, metrics, stop and resume.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/training/augmentation.h"
#include "core/training/example_windows.h"
#include "core/training/metrics_log.h"
#include "core/training/train_step.h"

namespace ddsp::training {

struct TrainerOptions {
  StepOptions step;
  int64_t batch_size = 16;
  AugmentationOptions augmentation;
  int64_t steps = 5000;
  uint64_t seed = 1;
  std::string begin_from;  // a checkpoint whose weights a new run begins with; empty: fresh ones
  std::string directory;   // for checkpoints/ and logs/
  absl::Duration checkpoint_interval = absl::Minutes(2);
  int checkpoints_to_keep = 3;
  // Called after each checkpoint with the updates done and its file, which later ones may delete; an error ends the
  // run. May be empty.
  std::function<absl::Status(int64_t step, const std::string& path)> saved;
  int64_t log_steps = 10;        // metrics are means over so many steps
  int64_t held_out_steps = 100;  // steps between held-out losses; 0: none
  const Clock* clock = &Clock::Steady();
  // The workers that train together, each with the same options and data; null: this process alone. Each step takes
  // batch_size examples over all of them. Rank 0 alone measures, logs and saves. Outlives the trainer.
  WorkerGroup* group = nullptr;

  // The settings that the numbers depend on, as text.
  std::string Describe() const;
};

struct TrainingProgress {
  int64_t step = 0, steps = 0;  // done, of
  double loss = 0;              // smoothed over all steps of the run, however often it was interrupted
  double held_out_loss = 0;     // last one; 0 before the first
  double seconds_per_step = 0;  // smoothed
};

enum class TrainerVerdict { kContinue, kStop };

class Trainer {
 public:
  // Continues the newest checkpoint in options.directory, or begins.
  // `dataset` outlives the trainer. Errors: INVALID_ARGUMENT (more workers than examples in a batch),
  // FAILED_PRECONDITION (no training windows; a checkpoint of a run with other options, which are listed; workers with
  // other options or data), those of the group.
  static absl::StatusOr<std::unique_ptr<Trainer>> Create(const TrainerOptions& options, const Dataset& dataset,
                                                         const std::vector<Segment>& training_windows,
                                                         TrainingBatch held_out);

  // Steps until options.steps are done or `observe`, called after every step, says stop, at any worker, or a worker is
  // lost; then writes a checkpoint.
  absl::Status Run(const std::function<TrainerVerdict(const TrainingProgress&)>& observe);

  const TrainStep& model() const { return *step_; }
  const TrainingProgress& progress() const { return progress_; }
  // The examples of the next step; after one that failed, those of that one.
  std::vector<Segment> NextWindows();
  // What a step makes of them, the items [begin, end) of all workers' batch.
  TrainingBatch NextBatch(int64_t begin, int64_t end);
  TrainingBatch NextBatch() { return NextBatch(0, options_.batch_size); }

 private:
  Trainer(const TrainerOptions& options, const Dataset& dataset, const std::vector<Segment>& training_windows,
          TrainingBatch held_out);
  bool IsFirst() const { return options_.group == nullptr || options_.group->rank() == 0; }
  absl::Status CheckGroup() const;
  absl::Status Resume();
  absl::StatusOr<StepReport> Step();
  absl::Status Save() const;
  absl::Status SaveAndReturn(const absl::Status& lost) const;
  void Log(const StepReport& report, double seconds);

  const TrainerOptions options_;
  const Dataset& dataset_;
  const std::vector<Segment> windows_;
  const TrainingBatch held_out_;
  ShuffledOrder order_;
  std::unique_ptr<TrainStep> step_;
  std::unique_ptr<MetricsLog> log_;
  TrainingProgress progress_;
  StepReport sums_;  // since the last line of the log
  double seconds_ = 0;
  int64_t summed_ = 0;  // steps
};

// Windows as one batch. Frames between those of the data set are what the engine makes of it (FrameBetween). The
// shape's hop divides the data set's. `variations` are of each window; none: as they were recorded.
TrainingBatch MakeBatch(const VoiceShape& shape, const Dataset& dataset, const std::vector<Segment>& windows,
                        const std::vector<Variation>& variations = {});

// Mean multi-scale spectral loss over the batch's windows, each from a zero state: upstream's test metric. The noise is
// that of `seed`. Empty batch: 0.
double HeldOutLoss(const StepOptions& options, const Parameters& weights, const TrainingBatch& batch, uint64_t seed);

}  // namespace ddsp::training
