#include "core/training/batch_source.h"

#include <ATen/CPUGeneratorImpl.h>

#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/training/example_windows.h"
#include "core/training/seed.h"

namespace ddsp::training {
namespace {

// Of an ExampleSet, or other data.
template <typename Data>
class Examples : public BatchSource {
 public:
  Examples(const Data& examples, int64_t batch_size, uint64_t seed)
      : examples_(examples), batch_size_(batch_size), order_(DeriveSeed(seed, "order", 0), examples.size()) {}

  absl::StatusOr<NamedTensors> Batch(int64_t step) const override {
    std::vector<int64_t> indices(batch_size_);
    for (int64_t item = 0; item < batch_size_; ++item) indices[item] = order_.At(step * batch_size_ + item);
    return examples_.Batch(indices);
  }

 private:
  const Data& examples_;
  const int64_t batch_size_;
  mutable ShuffledOrder order_;  // remembers the permutation of an epoch
};

class Notes : public BatchSource {
 public:
  Notes(const NotesSettings& settings, int64_t batch_size, uint64_t seed)
      : settings_(settings), batch_size_(batch_size), seed_(seed) {}

  absl::StatusOr<NamedTensors> Batch(int64_t step) const override {
    const at::Generator generator = at::detail::createCPUGenerator(DeriveSeed(seed_, "notes", step));
    return CatchTorch([&] { return GenerateNotesV2(settings_, batch_size_, generator); });
  }

 private:
  const NotesSettings settings_;
  const int64_t batch_size_;
  const uint64_t seed_;
};

class Zipped : public BatchSource {
 public:
  Zipped(std::unique_ptr<BatchSource> recorded, std::unique_ptr<BatchSource> synthetic)
      : recorded_(std::move(recorded)), synthetic_(std::move(synthetic)) {}

  absl::StatusOr<NamedTensors> Batch(int64_t step) const override {
    ASSIGN_OR_RETURN(NamedTensors batch, recorded_->Batch(step));
    ASSIGN_OR_RETURN(const NamedTensors synthetic, synthetic_->Batch(step));
    for (const auto& [name, tensor] : synthetic) batch["synthetic/" + name] = tensor;
    return batch;
  }

 private:
  const std::unique_ptr<BatchSource> recorded_, synthetic_;
};

}  // namespace

std::unique_ptr<BatchSource> BatchesOfExamples(const ExampleSet& examples, int64_t batch_size, uint64_t seed) {
  return std::make_unique<Examples<ExampleSet>>(examples, batch_size, seed);
}

std::unique_ptr<BatchSource> BatchesOfExamples(const ModelData& examples, int64_t batch_size, uint64_t seed) {
  return std::make_unique<Examples<ModelData>>(examples, batch_size, seed);
}

std::unique_ptr<BatchSource> BatchesOfNotes(const NotesSettings& settings, int64_t batch_size, uint64_t seed) {
  return std::make_unique<Notes>(settings, batch_size, seed);
}

std::unique_ptr<BatchSource> ZippedBatches(std::unique_ptr<BatchSource> recorded,
                                           std::unique_ptr<BatchSource> synthetic) {
  return std::make_unique<Zipped>(std::move(recorded), std::move(synthetic));
}

}  // namespace ddsp::training
