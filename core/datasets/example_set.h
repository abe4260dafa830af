// Data sets of examples that all have the same features and shapes, as batches of tensors.
//
// A set is a folder of shards (safetensors, an array [examples, ...] for each feature) and an index, written last. It
// may be larger than memory: shards are mapped, and a batch copies only its examples. Recordings of any length, before
// they are cut into examples, are core/training/dataset's.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/base/safetensors.h"
#include "core/datasets/example_index.h"
#include "core/dsp/named_tensors.h"

namespace ddsp {

// Immutable, hence safe to share between threads. The folder must not change while it is open.
class ExampleSet {
 public:
  // Errors: NOT_FOUND (no index there), FAILED_PRECONDITION (a set that is not finished), INVALID_ARGUMENT (an index or
  // a shard that is damaged, or that does not fit the other; names the file).
  static absl::StatusOr<ExampleSet> Open(const std::string& directory);

  int64_t size() const { return starts_.back(); }                   // examples
  const std::vector<std::string>& names() const { return names_; }  // of features, sorted
  const ExampleIndex& index() const { return index_; }

  // Examples number `indices`, in that order, each as often as it is named: float32 [indices, ...] for each feature.
  // Errors: OUT_OF_RANGE naming the first index that is not in [0, size()).
  absl::StatusOr<NamedTensors> Batch(absl::Span<const int64_t> indices) const;

 private:
  struct Shard {
    Safetensors file;
    std::vector<TensorView> features;  // in the order of names_
  };
  ExampleSet() = default;
  absl::Status AddShard(const std::string& path, const ExampleShard& info);

  ExampleIndex index_;
  std::vector<std::string> names_;
  std::vector<Shard> shards_;
  std::vector<int64_t> starts_ = {0};  // of each shard, and the end
};

}  // namespace ddsp
