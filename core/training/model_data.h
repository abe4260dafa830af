// What a model of a gin configuration is trained and measured on.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/dsp/named_tensors.h"

namespace ddsp::training {

// Examples that all have the same features. Immutable, hence safe to share between threads.
class ModelData {
 public:
  virtual ~ModelData() = default;
  virtual int64_t size() const = 0;        // examples, more than 0
  virtual double sample_rate() const = 0;  // Hz; 0: there is no audio
  // Examples number `indices`, in that order: float32 [indices, ...] for each feature. Errors: OUT_OF_RANGE.
  virtual absl::StatusOr<NamedTensors> Batch(absl::Span<const int64_t> indices) const = 0;
  // The same text for the same data, wherever they lie.
  virtual std::string Describe() const = 0;
};

// Of recordings; a set of examples (core/datasets) has no parts, and is all of it for either.
enum class DataPart { kTraining, kHeldOut };

// `path` is a set of examples, or recordings that `ddsp dataset prepare` has prepared. Those are cut into examples as
// the set says, with features as upstream's sets have them: "audio" [samples], "f0_hz", "f0_confidence", "loudness_db"
// and "power_db" [frames], 250 frames a second (or the set's, where they do not divide those). Errors: NOT_FOUND for a
// folder that is neither; those of ExampleSet::Open and ReadShards; FAILED_PRECONDITION where the part has no example.
absl::StatusOr<std::unique_ptr<ModelData>> OpenModelData(const std::string& path, DataPart part);

}  // namespace ddsp::training
