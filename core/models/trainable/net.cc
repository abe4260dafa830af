#include "core/models/trainable/net.h"

#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"

namespace ddsp {
namespace {

void RejectConditional(GinArguments& net, const NetInputs& inputs) {
  net.Reject("conditional", inputs.z_channels > 0 ? "is False, but there is a z" : "is True, but there is no z");
}

}  // namespace

at::Tensor Net::Forward(const at::Tensor& x, const at::Tensor& z) const {
  const bool conditional = layer_->form().inputs.size() > 1;
  DDSP_CHECK_ARGUMENT(conditional == z.defined(),
                      conditional ? "z is missing for a net that is conditional" : "z is given to a net that is not");
  return layer_->Forward(conditional ? std::vector{x, z} : std::vector{x})[0];
}

std::unique_ptr<Net> NetFromGin(GinArguments& args, const std::string& name, const NetInputs& inputs) {
  std::optional<GinArguments> net = args.Child(name);
  if (!net) {
    args.Reject(name, "is missing, expected a network");
    return nullptr;
  }
  if (net->class_name().empty()) return nullptr;
  const LayerClass* layer = FindNetLayer(net->class_name());
  if (layer == nullptr) {
    const std::string why = WhyKerasHasNoPlace(net->class_name());
    net->Reject(why.empty() ? absl::StrCat(net->class_name(), " is no network that models have here") : why);
    return nullptr;
  }
  FeatureChannels channels = {{"x", inputs.channels}};
  if (inputs.z_channels > 0) channels["z"] = inputs.z_channels;
  std::unique_ptr<GinLayer> made = LayerFromGin(*net, *layer, channels);
  if (made == nullptr) return nullptr;
  if (made->form().inputs.size() != channels.size()) {
    RejectConditional(*net, inputs);
  } else if (made->form().results.size() > 1 || made->channels() == 0) {
    net->Reject(absl::StrCat(net->class_name(), " does not make one sequence of another"));
  } else {
    return std::make_unique<Net>(std::move(made));
  }
  return nullptr;
}

absl::StatusOr<DilatedConvStack::Options> DilatedConvStackFromGin(GinArguments& args, const std::string& name,
                                                                  const NetInputs& inputs) {
  std::optional<GinArguments> net = args.Child(name);
  if (!net || net->class_name() != "nn.DilatedConvStack") {
    args.Reject(name, "is no nn.DilatedConvStack, expected one");
    return absl::InvalidArgumentError(absl::StrCat(name, " is no nn.DilatedConvStack"));
  }
  DilatedConvStack::Options options;
  ReadAsGraph(*net, [&](ArgReader& reader) { options = ReadDilatedConvStack(reader); });
  if ((options.z_channels > 0) != (inputs.z_channels > 0)) RejectConditional(*net, inputs);
  options.in = inputs.channels;
  options.z_channels = inputs.z_channels;
  return options;
}

}  // namespace ddsp
