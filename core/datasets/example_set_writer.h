// Writes data sets of examples shard by shard, so that what is complete survives an interruption.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/datasets/example_index.h"
#include "core/dsp/named_tensors.h"

namespace ddsp {

class ExampleSetWriter {
 public:
  struct Options {
    std::string recipe;  // see ExampleIndex
    double sample_rate = 0, frame_rate = 0;
    int64_t shard_bytes = int64_t{64} << 20;  // a shard ends with the example that reaches it
  };

  // Makes `directory`, or goes on with an unfinished set of the same recipe and rates there: what follows the first
  // size() examples is still to be added.
  // Errors: ALREADY_EXISTS for a finished set and for one of another recipe; those of the file system.
  static absl::StatusOr<ExampleSetWriter> Open(const std::string& directory, const Options& options);

  int64_t size() const { return index_.examples() + pending_examples_; }

  // Adds examples [n, ...] for each feature; names and shapes are those of the first call.
  // Errors: INVALID_ARGUMENT naming a feature that is missing, new, of another shape, or not finite.
  absl::Status Add(const NamedTensors& examples);

  // Writes what is left and marks the set complete. Errors: FAILED_PRECONDITION without examples.
  absl::Status Finish();

 private:
  ExampleSetWriter(std::string directory, const Options& options);
  absl::Status CheckFeatures(const NamedTensors& examples) const;
  absl::Status WriteShard();

  std::string directory_;
  int64_t shard_bytes_;
  ExampleIndex index_;
  std::map<std::string, std::string> pending_;  // values of the shard to come
  int64_t pending_examples_ = 0, pending_bytes_ = 0;
};

}  // namespace ddsp
