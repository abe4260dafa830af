#include "core/models/trainable/control_decoder.h"

#include <ATen/core/grad_mode.h>

#include "absl/strings/str_cat.h"

namespace ddsp {
namespace {

// What the layer returns, found by asking it.
absl::StatusOr<FeatureChannels> OutputsOf(const GinLayer& layer, const FeatureChannels& channels) {
  const at::NoGradGuard no_grad;
  NamedTensors zeros;
  for (const Port& port : layer.form().inputs) {
    const auto known = channels.find(port.name);
    zeros[port.name] = ZeroSequence(known == channels.end() ? 1 : known->second);
  }
  const absl::StatusOr<NamedTensors> results = layer.Forward(zeros);
  if (!results.ok()) return results.status();
  FeatureChannels outputs;
  for (const auto& [name, value] : *results) outputs[name] = value.size(-1);
  return outputs;
}

}  // namespace

std::unique_ptr<ControlDecoder> ControlDecoderFromGin(GinArguments& args, const FeatureChannels& channels) {
  const std::string& name = args.class_name();
  const LayerClass* layer = FindLayer(CoderLayers(), name);
  if (name != "decoders.RnnFcDecoder" && name != "decoders.DilatedConvDecoder") {
    if (!name.empty()) args.Reject(absl::StrCat(name, " is no decoder of controls here"));
    return nullptr;
  }
  args.ExpectFlag("stateless", false, false);
  std::unique_ptr<GinLayer> made = LayerFromGin(args, *layer, channels);
  if (made == nullptr || !args.problems().empty()) return nullptr;
  absl::StatusOr<FeatureChannels> outputs = OutputsOf(*made, channels);
  if (!outputs.ok()) {
    args.Reject(outputs.status().message());
    return nullptr;
  }
  return std::make_unique<ControlDecoder>(std::move(made), *std::move(outputs));
}

}  // namespace ddsp
