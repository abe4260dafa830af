#include "core/models/trainable/net.h"

#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"
#include "core/nn/fc_stack_out.h"
#include "core/nn/rnn_layers.h"

namespace ddsp {
namespace {

using at::Tensor;

template <typename L>
class LayerNet : public Net {
 public:
  template <typename... Args>
  explicit LayerNet(int64_t out_channels, Args&&... args) : Net(out_channels), layer_(std::forward<Args>(args)...) {}
  Tensor Forward(const Tensor& x, const Tensor& z) const override {
    if constexpr (std::is_same_v<L, DilatedConvStack>) {
      return layer_.Forward(x, z);
    } else {
      DDSP_CHECK_ARGUMENT(!z.defined(), "z is given to a net that is not conditional");
      return layer_.Forward(x);
    }
  }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    layer_.VisitParameters(prefix, visit);
  }

 private:
  L layer_;
};

class IdentityLayer : public Layer {
 public:
  Tensor Forward(const Tensor& x) const { return x; }
  void VisitParameters(const std::string&, const ParameterVisitor&) override {}
};

DilatedConvStack::Options ReadDilatedConvStack(GinArguments& args, const NetInputs& inputs) {
  DilatedConvStack::Options options;
  options.in = inputs.channels;
  options.ch = args.Int("ch", options.ch, 1);
  options.layers_per_stack = args.Int("layers_per_stack", options.layers_per_stack, 1);
  options.stacks = args.Int("stacks", options.stacks, 1);
  options.kernel_size = args.Int("kernel_size", options.kernel_size, 1);
  options.dilation = args.Int("dilation", options.dilation, INT64_MIN);
  options.norm_type = args.Accept("norm_type", ParseNormType(args.Text("norm_type", "")));
  if (args.Flag("shift_only", false)) options.modulation = Modulation::kShiftOnly;
  if (args.Flag("spectral_norm", false)) options.kernel_norm = DilatedConvStack::KernelNorm::kSpectral;
  if (args.Flag("ortho_init", false)) options.kernel_initializer = Initializer::kOrthogonal;
  if (args.Flag("conditional", false)) options.z_channels = inputs.z_channels;
  if (args.Flag("conditional", false) != (inputs.z_channels > 0)) {
    args.Reject("conditional", inputs.z_channels > 0 ? "is False, but there is a z" : "is True, but there is no z");
  }
  return options;
}

std::unique_ptr<Net> MakeDilatedConvStack(GinArguments& args, const NetInputs& inputs) {
  const DilatedConvStack::Options options = ReadDilatedConvStack(args, inputs);
  return std::make_unique<LayerNet<DilatedConvStack>>(options.ch, options);
}

std::unique_ptr<Net> MakeRnnSandwich(GinArguments& args, const NetInputs& inputs) {
  RnnSandwich::Options options;
  options.in = inputs.channels;
  options.fc_stack_ch = args.Int("fc_stack_ch", options.fc_stack_ch, 1);
  options.fc_stack_layers = args.Int("fc_stack_layers", options.fc_stack_layers, 0);
  options.rnn_ch = args.Int("rnn_ch", options.rnn_ch, 1);
  options.rnn_type = args.Accept("rnn_type", ParseRnnType(args.Text("rnn_type", "gru")));
  const int64_t out = options.fc_stack_layers == 0 ? options.rnn_ch : options.fc_stack_ch;
  return std::make_unique<LayerNet<RnnSandwich>>(out, options);
}

std::unique_ptr<Net> MakeFcStack(GinArguments& args, const NetInputs& inputs) {
  const int64_t ch = args.Int("ch", 256, 1), layers = args.Int("layers", 2, 0);
  const Nonlinearity nonlinearity =
      args.Accept("nonlinearity", ParseNonlinearity(args.Text("nonlinearity", "leaky_relu")));
  return std::make_unique<LayerNet<FcStack>>(layers == 0 ? inputs.channels : ch, inputs.channels, ch, layers,
                                             nonlinearity);
}

std::unique_ptr<Net> MakeFcStackOut(GinArguments& args, const NetInputs& inputs) {
  const int64_t ch = args.Int("ch", 256, 1), layers = args.Int("layers", 2, 0), n_out = args.Int("n_out", 1, 1);
  return std::make_unique<LayerNet<FcStackOut>>(n_out, inputs.channels, ch, layers, n_out);
}

std::unique_ptr<Net> MakeSingleGru(GinArguments& args, const NetInputs& inputs) {
  const int64_t dim = args.Int("gru_dim", 128, 1);
  return std::make_unique<LayerNet<SingleGru>>(dim, inputs.channels, dim);
}

std::unique_ptr<Net> MakeIdentity(GinArguments&, const NetInputs& inputs) {
  return std::make_unique<LayerNet<IdentityLayer>>(inputs.channels);
}

struct Entry {
  const char* class_name;
  std::unique_ptr<Net> (*make)(GinArguments& args, const NetInputs& inputs);
};

constexpr Entry kEntries[] = {
    {"nn.DilatedConvStack", MakeDilatedConvStack},
    {"nn.RnnSandwich", MakeRnnSandwich},
    {"nn.FcStack", MakeFcStack},
    {"nn.FcStackOut", MakeFcStackOut},
    {"nn.SingleGru", MakeSingleGru},
    {"nn.Identity", MakeIdentity},
};

}  // namespace

std::unique_ptr<Net> NetFromGin(GinArguments& args, const std::string& name, const NetInputs& inputs) {
  std::optional<GinArguments> net = args.Child(name);
  if (!net) {
    args.Reject(name, "is missing, expected a network");
    return nullptr;
  }
  for (const Entry& entry : kEntries) {
    if (net->class_name() != entry.class_name) continue;
    std::unique_ptr<Net> made = entry.make(*net, inputs);
    net->Ignore({"input_keys", "output_keys"});
    net->Finish();
    return made;
  }
  if (!net->class_name().empty()) net->Reject(absl::StrCat(net->class_name(), " is no network that models have here"));
  return nullptr;
}

absl::StatusOr<DilatedConvStack::Options> DilatedConvStackFromGin(GinArguments& args, const std::string& name,
                                                                  const NetInputs& inputs) {
  std::optional<GinArguments> net = args.Child(name);
  if (!net || net->class_name() != "nn.DilatedConvStack") {
    args.Reject(name, "is no nn.DilatedConvStack, expected one");
    return absl::InvalidArgumentError(absl::StrCat(name, " is no nn.DilatedConvStack"));
  }
  const DilatedConvStack::Options options = ReadDilatedConvStack(*net, inputs);
  net->Ignore({"input_keys", "output_keys"});
  net->Finish();
  return options;
}

}  // namespace ddsp
