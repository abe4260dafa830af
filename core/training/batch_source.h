// Where a model's training examples come from.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/datasets/example_set.h"
#include "core/datasets/synthetic_notes.h"
#include "core/training/model_data.h"

namespace ddsp::training {

// The batch of a step is a pure function of the step, so that a run can go on where it stopped.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  virtual absl::StatusOr<NamedTensors> Batch(int64_t step) const = 0;
};

// Examples of a data set in a fresh order for every epoch. The set outlives this and is not empty.
std::unique_ptr<BatchSource> BatchesOfExamples(const ExampleSet& examples, int64_t batch_size, uint64_t seed);
std::unique_ptr<BatchSource> BatchesOfExamples(const ModelData& examples, int64_t batch_size, uint64_t seed);

// New synthetic notes for every step. Upstream: SyntheticNotes, over a data set of them.
std::unique_ptr<BatchSource> BatchesOfNotes(const NotesSettings& settings, int64_t batch_size, uint64_t seed);

// Both at once, the features of the second below "synthetic/". Upstream: ZippedProvider.
std::unique_ptr<BatchSource> ZippedBatches(std::unique_ptr<BatchSource> recorded,
                                           std::unique_ptr<BatchSource> synthetic);

}  // namespace ddsp::training
