// Encoders of features into latents, as models use them (upstream: training/encoders.py, ZEncoder).
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/models/trainable/gin_arguments.h"
#include "core/nn/parameters.h"

namespace ddsp {

class ZEncoder : public Layer {
 public:
  // z [batch, time_steps, channels()]. Errors: NOT_FOUND for a missing feature, INVALID_ARGUMENT for shapes.
  virtual absl::StatusOr<at::Tensor> Encode(const NamedTensors& features, int64_t time_steps) const = 0;
  virtual int64_t channels() const = 0;
};

// How many channels a feature has, by name; what is not listed has one.
using FeatureChannels = std::map<std::string, int64_t>;

// encoders.MfccTimeDistributedRnnEncoder, MfccRnnEncoder, AggregateFeaturesEncoder, OneHotEncoder, ExpressionEncoder.
// Null if there is a problem.
std::unique_ptr<ZEncoder> ZEncoderFromGin(GinArguments& args, const FeatureChannels& channels = {});

}  // namespace ddsp
