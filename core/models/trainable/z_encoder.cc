#include "core/models/trainable/z_encoder.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/nn/encoders.h"

namespace ddsp {

using at::Tensor;

absl::StatusOr<Tensor> ZEncoder::Encode(const NamedTensors& features, int64_t time_steps) const {
  const std::vector<Port>& ports = layer_->form().inputs;
  std::vector<Tensor> inputs;
  for (size_t i = 0; i + layer_->form().kept_inputs < ports.size(); ++i) {
    ASSIGN_OR_RETURN(const Tensor input, Lookup(features, ports[i].name));
    inputs.push_back(input.dim() == 1 ? input.unsqueeze(1) : input);
  }
  inputs.push_back(at::zeros({1, time_steps, 1}));
  return CatchTorch([&] {
    const Tensor z = layer_->Forward(inputs)[0];
    return z.size(1) == 1 ? z.expand({z.size(0), time_steps, z.size(2)}) : ExpandZ(z, time_steps);
  });
}

std::unique_ptr<ZEncoder> ZEncoderFromGin(GinArguments& args, const FeatureChannels& channels) {
  const std::string& name = args.class_name();
  for (const char* encoder : {"MfccTimeDistributedRnnEncoder", "MfccRnnEncoder", "AggregateFeaturesEncoder",
                              "OneHotEncoder", "ExpressionEncoder"}) {
    if (name != absl::StrCat("encoders.", encoder)) continue;
    std::unique_ptr<GinLayer> made = LayerFromGin(args, *FindLayer(CoderLayers(), name), channels);
    return made == nullptr ? nullptr : std::make_unique<ZEncoder>(std::move(made));
  }
  if (!name.empty()) args.Reject(absl::StrCat(name, " is no encoder of a latent here"));
  return nullptr;
}

}  // namespace ddsp
