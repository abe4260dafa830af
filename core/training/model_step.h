// One step of training of any model: forward, backward, clip, update.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "core/models/trainable/model.h"
#include "core/training/adam.h"
#include "core/training/distributed/worker_group.h"
#include "core/training/learning_rate.h"
#include "core/training/parameter_store.h"

namespace ddsp::training {

struct ModelStepOptions {
  LearningRate learning_rate;
  double clip_norm = 3.0;  // of the gradient over all weights
};

struct ModelStepReport {
  double loss = 0;                       // the sum of all, before the update
  std::map<std::string, double> losses;  // each by itself
  double gradient_norm = 0;              // before clipping
  double learning_rate = 0;
};

// A model in training. Everything that evolves: weights, moments, step. Upstream: Trainer.train_step.
class ModelStep {
 public:
  // Begins with the weights that the model has. The model outlives this and uses this's weights from now on. With a
  // group, which outlives this too, the workers make the steps of one model together.
  ModelStep(const ModelStepOptions& options, TrainableModel* model, WorkerGroup* group = nullptr);

  // `features` are of context.part of the batch, losses and gradient of all of it. Errors: those of the model, of any
  // worker's; FAILED_PRECONDITION if the features have no losses; INTERNAL when loss or gradient is not finite; those of
  // the group. After an error the weights are as before, except that kernels under spectral normalisation were
  // normalised.
  absl::StatusOr<ModelStepReport> Run(const NamedTensors& features, const ModelContext& context);
  // Continues, with all others of the group, from what rank 0 has.
  absl::Status CopyFromFirst();

  int64_t step() const { return step_; }
  Parameters weights() const { return store_.views(); }
  Parameters first_moments() const { return store_.ViewsOf(adam_.first_moment); }
  Parameters second_moments() const { return store_.ViewsOf(adam_.second_moment); }
  // Gradients of the last step; clipped, unless it is the last one that failed.
  Parameters gradients() const { return store_.ViewsOf(gradients_); }

  // Continues from what a checkpoint holds; names and shapes are those of the model.
  void Restore(int64_t step, const Parameters& weights, const Parameters& first_moments,
               const Parameters& second_moments);

 private:
  absl::StatusOr<ModelStepReport> ForwardBackward(const NamedTensors& features, const ModelContext& context);
  // Of all workers, where each has its share.
  absl::Status AddOthers(ModelStepReport* report);

  const ModelStepOptions options_;
  TrainableModel& model_;
  WorkerGroup* const group_;  // may be null
  ParameterStore store_;
  Adam adam_;
  at::Tensor gradients_, rates_;
  int64_t step_ = 0;
};

}  // namespace ddsp::training
