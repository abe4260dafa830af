// Decoders of features into the controls of synthesisers, as models use them (upstream: training/decoders.py).
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/models/trainable/gin_arguments.h"
#include "core/models/trainable/z_encoder.h"

namespace ddsp {

class ControlDecoder : public Layer {
 public:
  // Errors: NOT_FOUND for a missing feature, INVALID_ARGUMENT for shapes.
  virtual absl::StatusOr<NamedTensors> Decode(const NamedTensors& features) const = 0;
  // What it returns, with channels.
  virtual const FeatureChannels& outputs() const = 0;
};

// decoders.RnnFcDecoder, DilatedConvDecoder. Null if there is a problem.
std::unique_ptr<ControlDecoder> ControlDecoderFromGin(GinArguments& args, const FeatureChannels& channels);

}  // namespace ddsp
