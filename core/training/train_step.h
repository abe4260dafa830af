// One step of training: forward, backward, clip, update.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "core/losses/spectral_loss.h"
#include "core/training/adam.h"
#include "core/training/distributed/worker_group.h"
#include "core/training/learning_rate.h"
#include "core/training/parameter_store.h"
#include "core/training/voice_network.h"
#include "core/training/worker_pool.h"

namespace ddsp::training {

struct TrainingBatch {
  at::Tensor audio;        // [batch, samples]
  VoiceControls controls;  // [batch, frames of as many samples]
  int64_t whole = 0;       // items of all workers' batches together; 0: there are no others
};

struct StepOptions {
  VoiceShape shape;
  SpectralLossOptions objective = RecipeSpectralLoss();  // at other rates than 16 kHz see RecipeLoss()
  LearningRate learning_rate;
  // Multiplies the learning rate of the reverb. The magnitudes of the VST recipe start so loud that a dry recording
  // needs them 60 dB lower, and at the network's rate (upstream's 1) they are still on their way there, hissing through
  // every rest, after many thousand steps.
  double reverb_rate = 1.0;
  double clip_norm = 3.0;
  // The batch is cut into so many shards, one thread each; more than the batch has items are not used. Results depend
  // on the number of shards by rounding alone, and not at all on timing.
  int shards = 2;
};

struct StepReport {
  double loss = 0;           // before the update
  double gradient_norm = 0;  // before clipping
  double learning_rate = 0;
};

// A model in training. Everything that evolves: weights, moments, step.
class TrainStep {
 public:
  // With a group, which outlives this, the workers make the steps of one model together, each with its part of the
  // batch and of the noise.
  TrainStep(const StepOptions& options, const Parameters& initial, WorkerGroup* group = nullptr);

  // Loss and gradient are those of the whole batch. Errors: INTERNAL when they are not finite; those of the group. The
  // weights are as before the step then.
  absl::StatusOr<StepReport> Run(const TrainingBatch& batch, const VoiceNoise& noise);

  const StepOptions& options() const { return options_; }
  int64_t step() const { return step_; }
  Parameters weights() const { return store_.views(); }
  Parameters first_moments() const { return store_.ViewsOf(adam_.first_moment); }
  Parameters second_moments() const { return store_.ViewsOf(adam_.second_moment); }
  // Gradients of the last step, clipped.
  Parameters gradients() const { return store_.ViewsOf(gradients_[0]); }

  // Continues from what a checkpoint holds; names and shapes are those of the model.
  void Restore(int64_t step, const Parameters& weights, const Parameters& first_moments,
               const Parameters& second_moments);
  // Continues, with all others of the group, from what rank 0 has.
  absl::Status CopyFromFirst();

 private:
  const StepOptions options_;
  WorkerGroup* const group_;  // may be null
  ParameterStore store_;
  Adam adam_;
  at::Tensor rates_;  // as Adam wants them
  int64_t step_ = 0;
  std::vector<at::Tensor> gradients_;  // one per shard
  std::unique_ptr<WorkerPool> pool_;
};

}  // namespace ddsp::training
