// Encoders of features into latents, as models use them (upstream: training/encoders.py, ZEncoder).
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/models/trainable/gin_layer.h"

namespace ddsp {

class ZEncoder : public Layer {
 public:
  explicit ZEncoder(std::unique_ptr<GinLayer> layer) : layer_(std::move(layer)) {}
  // z [batch, time_steps, channels()]; what is one for a whole example (a category, say) may have no axis of time.
  // Errors: NOT_FOUND for a missing feature, INVALID_ARGUMENT for shapes.
  absl::StatusOr<at::Tensor> Encode(const NamedTensors& features, int64_t time_steps) const;
  int64_t channels() const { return layer_->channels(); }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    layer_->VisitParameters(prefix, visit);
  }

 private:
  const std::unique_ptr<GinLayer> layer_;
};

// encoders.MfccTimeDistributedRnnEncoder, MfccRnnEncoder, AggregateFeaturesEncoder, OneHotEncoder, ExpressionEncoder.
// Null if there is a problem.
std::unique_ptr<ZEncoder> ZEncoderFromGin(GinArguments& args, const FeatureChannels& channels = {});

}  // namespace ddsp
