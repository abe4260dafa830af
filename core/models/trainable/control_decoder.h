// Decoders of features into the controls of synthesisers, as models use them (upstream: training/decoders.py).
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/models/trainable/gin_layer.h"

namespace ddsp {

class ControlDecoder : public Layer {
 public:
  ControlDecoder(std::unique_ptr<GinLayer> layer, FeatureChannels outputs)
      : layer_(std::move(layer)), outputs_(std::move(outputs)) {}
  // Errors: NOT_FOUND for a missing feature, INVALID_ARGUMENT for shapes.
  absl::StatusOr<NamedTensors> Decode(const NamedTensors& features) const { return layer_->Forward(features); }
  // What it returns, with channels.
  const FeatureChannels& outputs() const { return outputs_; }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    layer_->VisitParameters(prefix, visit);
  }

 private:
  const std::unique_ptr<GinLayer> layer_;
  const FeatureChannels outputs_;
};

// decoders.RnnFcDecoder, DilatedConvDecoder. Null if there is a problem.
std::unique_ptr<ControlDecoder> ControlDecoderFromGin(GinArguments& args, const FeatureChannels& channels);

}  // namespace ddsp
