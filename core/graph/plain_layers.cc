// Layers of upstream's training/nn.py.
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/dsp/argument.h"
#include "core/graph/layer_form.h"
#include "core/nn/dilated_conv_stack.h"
#include "core/nn/fc_stack_out.h"
#include "core/nn/fully_connected.h"
#include "core/nn/normalization.h"
#include "core/nn/polyphase.h"
#include "core/nn/residual.h"
#include "core/nn/resnet.h"
#include "core/nn/rnn_layers.h"
#include "core/nn/vector_quantization.h"

namespace ddsp {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

// x, and z beside it where the layer is conditional.
LayerForm Conditioned(bool conditional, std::function<BuiltLayer(int64_t channels, int64_t z_channels)> build) {
  LayerForm form;
  if (conditional) form.inputs.push_back({.name = "z"});
  form.build = [build = std::move(build)](const Tensors& inputs) {
    return build(ChannelsOf(inputs[0], "x"), inputs.size() > 1 ? ChannelsOf(inputs[1], "z") : 0);
  };
  return form;
}

template <typename L, typename... Args>
BuiltLayer BuiltConditioned(int64_t out_channels, Args&&... args) {
  auto layer = std::make_shared<L>(std::forward<Args>(args)...);
  return {layer,
          [layer](const Tensors& inputs) {
            return Tensors{layer->Forward(inputs[0], inputs.size() > 1 ? inputs[1] : Tensor())};
          },
          out_channels};
}

RnnType ReadRnnType(ArgReader& args, const char* fallback = "gru") {
  return args.Accept(ParseRnnType(args.Text("rnn_type", fallback)));
}

NormType ReadNormType(ArgReader& args, const char* fallback) {
  return args.Accept(ParseNormType(args.Text("norm_type", fallback)));
}

Modulation ReadModulation(ArgReader& args) {
  return args.Flag("shift_only", false) ? Modulation::kShiftOnly : Modulation::kScaleAndShift;
}

LayerForm FcForm(ArgReader& args) {
  const int64_t ch = args.Int("ch", 128, 1);
  const Nonlinearity nonlinearity = ReadNonlinearity(args, "nonlinearity", "leaky_relu");
  return OneToOne([=](int64_t channels) { return Built<Fc>(ch, channels, ch, nonlinearity); });
}

LayerForm FcStackForm(ArgReader& args) {
  const int64_t ch = args.Int("ch", 256, 1), layers = ReadCount(args, "layers", 2, 0);
  const Nonlinearity nonlinearity = ReadNonlinearity(args, "nonlinearity", "leaky_relu");
  return OneToOne(
      [=](int64_t channels) { return Built<FcStack>(layers > 0 ? ch : channels, channels, ch, layers, nonlinearity); });
}

LayerForm FcStackOutForm(ArgReader& args) {
  const int64_t ch = ReadRequired(args, "ch"), out = ReadRequired(args, "n_out");
  const int64_t layers = ReadCount(args, "layers", 0, 0);
  return OneToOne([=](int64_t channels) { return Built<FcStackOut>(out, channels, ch, layers, out); });
}

LayerForm RnnForm(ArgReader& args) {
  Rnn::Options options;
  options.dims = ReadRequired(args, "dims");
  options.type = ReadRnnType(args);
  if (args.Flag("bidir", false)) options.direction = RnnDirection::kBoth;
  if (!args.Flag("return_sequences", true)) options.result = RnnResult::kLastStep;
  return OneToOne([=](int64_t channels) {
    Rnn::Options fitting = options;
    fitting.in = channels;
    return Built<Rnn>(options.direction == RnnDirection::kBoth ? 2 * options.dims : options.dims, fitting);
  });
}

// Below "rnn/", where upstream's layer keeps it.
class StatelessRnn : public Layer {
 public:
  StatelessRnn(int64_t in, int64_t dims, RnnType type) : cell_(in, dims, type) {}
  Tensors Forward(const Tensor& x, const Tensor& state) const {
    const RnnOutput output = cell_.Forward(x, state);
    return {output.sequence, output.state};
  }
  void VisitParameters(const std::string& prefix, const ParameterVisitor& visit) override {
    cell_.VisitParameters(prefix + "rnn/", visit);
  }

 private:
  RnnCell cell_;
};

LayerForm StatelessRnnForm(ArgReader& args) {
  const int64_t dims = ReadRequired(args, "dims");
  if (ReadRnnType(args) != RnnType::kGru) args.Reject("rnn_type is lstm, whose state cannot be carried");
  LayerForm form;
  form.inputs = {{.name = "x"}, {.name = "state"}};
  form.results = {"out", "state"};
  form.build = [=](const Tensors& inputs) {
    auto layer = std::make_shared<StatelessRnn>(ChannelsOf(inputs[0], "x"), dims, RnnType::kGru);
    return BuiltLayer{layer, [=](const Tensors& in) { return layer->Forward(in[0], in[1]); }, dims};
  };
  return form;
}

LayerForm SingleGruForm(ArgReader& args) {
  const int64_t dim = args.Int("gru_dim", 128, 1);
  return OneToOne([=](int64_t channels) { return Built<SingleGru>(dim, channels, dim); });
}

LayerForm RnnSandwichForm(ArgReader& args) {
  RnnSandwich::Options options;
  options.fc_stack_ch = args.Int("fc_stack_ch", options.fc_stack_ch, 1);
  options.fc_stack_layers = ReadCount(args, "fc_stack_layers", options.fc_stack_layers, 0);
  options.rnn_ch = args.Int("rnn_ch", options.rnn_ch, 1);
  options.rnn_type = ReadRnnType(args);
  return OneToOne([=](int64_t channels) {
    RnnSandwich::Options fitting = options;
    fitting.in = channels;
    return Built<RnnSandwich>(options.fc_stack_layers > 0 ? options.fc_stack_ch : options.rnn_ch, fitting);
  });
}

// As upstream's arguments act: `bidir` decides whether there is a sequence.
LayerForm RnnFcForm(ArgReader& args) {
  RnnFc::Options options;
  options.rnn_feat = ReadRequired(args, "rnn_feat");
  options.out_feat = ReadRequired(args, "out_feat");
  options.rnn_type = ReadRnnType(args, "lstm");
  options.nonlinearity = ReadNonlinearity(args, "nonlinearity", "sigmoid");
  options.result = args.Flag("bidir", false) ? RnnResult::kSequence : RnnResult::kLastStep;
  if (args.Int("n_rnn", 1, 1) != 1) args.Reject("n_rnn is more than 1, which a graph cannot do");
  return OneToOne([=](int64_t channels) {
    RnnFc::Options fitting = options;
    fitting.in = channels;
    return Built<RnnFc>(options.out_feat, fitting);
  });
}

DilatedConvStack::Resample ReadResample(ArgReader& args) {
  const std::string type = args.Text("resample_type", "");
  if (type == "downsample") return DilatedConvStack::Resample::kDown;
  if (type == "upsample") return DilatedConvStack::Resample::kUp;
  if (!type.empty()) args.Reject(absl::StrCat("resample_type is '", type, "', expected upsample or downsample"));
  return DilatedConvStack::Resample::kNone;
}

LayerForm DilatedConvStackForm(ArgReader& args) {
  const DilatedConvStack::Options options = ReadDilatedConvStack(args);
  return Conditioned(options.z_channels > 0, [=](int64_t channels, int64_t z_channels) {
    DilatedConvStack::Options fitting = options;
    fitting.in = channels;
    fitting.z_channels = z_channels;
    return BuiltConditioned<DilatedConvStack>(options.ch, fitting);
  });
}

LayerForm NormalizeForm(ArgReader& args) {
  const NormType type = ReadNormType(args, "layer");
  return OneToOne([=](int64_t channels) { return Built<Normalize>(channels, channels, type); });
}

LayerForm ConditionalNormForm(ArgReader& args) {
  const NormType type = ReadNormType(args, "instance");
  const Modulation modulation = ReadModulation(args);
  return Conditioned(/*conditional=*/true, [=](int64_t channels, int64_t z_channels) {
    auto norm = std::make_shared<AnyNorm>(AnyNorm::Options{channels, z_channels, type, modulation});
    const auto forward = [=](const Tensors& in) {
      return Tensors{norm->Forward(EnsureFourAxes(in[0]), EnsureFourAxes(in[1]))};
    };
    return BuiltLayer{norm, forward, channels};
  });
}

LayerForm NormReluConvForm(ArgReader& args) {
  NormReluConv::Options options;
  options.ch = ReadRequired(args, "ch");
  options.kernel = ReadRequired(args, "k");
  options.stride = ReadRequired(args, "s");
  options.norm_type = ReadNormType(args, "layer");
  return OneToOne([=](int64_t channels) {
    NormReluConv::Options fitting = options;
    fitting.in = channels;
    auto layer = std::make_shared<NormReluConv>(fitting);
    return BuiltLayer{layer, [=](const Tensors& in) { return Tensors{layer->Forward(EnsureFourAxes(in[0]))}; },
                      options.ch};
  });
}

LayerForm ResidualLayerForm(ArgReader& args) {
  ResidualLayer::Options options;
  options.ch = ReadRequired(args, "ch");
  options.stride = ReadRequired(args, "stride");
  options.shortcut = args.Flag("shortcut", false) ? Shortcut::kProjection : Shortcut::kIdentity;
  options.norm_type = ReadNormType(args, "layer");
  options.modulation = ReadModulation(args);
  return Conditioned(args.Flag("conditional", false), [=](int64_t channels, int64_t z_channels) {
    ResidualLayer::Options fitting = options;
    fitting.in = channels;
    fitting.z_channels = z_channels;
    return BuiltConditioned<ResidualLayer>(4 * options.ch, fitting);
  });
}

LayerForm ResidualStackForm(ArgReader& args) {
  const std::vector<int64_t> filters = args.Integers("filters", {}), sizes = args.Integers("block_sizes", {}),
                             strides = args.Integers("strides", {});
  ResidualStack::Options options;
  options.norm_type = ReadNormType(args, "layer");
  options.modulation = ReadModulation(args);
  options.nonlinearity = ReadNonlinearity(args, "nonlinearity", "relu");
  if (filters.empty() || sizes.size() != filters.size() || strides.size() != filters.size()) {
    args.Reject(absl::StrCat("filters, block_sizes and strides have ", filters.size(), ", ", sizes.size(), " and ",
                             strides.size(), " items, expected as many of each"));
  } else {
    for (size_t i = 0; i < filters.size(); ++i) options.blocks.push_back({filters[i], sizes[i], strides[i]});
  }
  for (const ResidualStack::Block& block : options.blocks) {
    if (block.ch < 1 || block.layers < 1 || block.layers > 1024 || block.stride < 1) {
      args.Reject(absl::StrCat("a block has ", block.ch, " filters, ", block.layers, " layers and stride ",
                               block.stride, ", expected 1 or more of each and at most 1024 layers"));
    }
  }
  const int64_t out = options.blocks.empty() ? 0 : 4 * options.blocks.back().ch;
  return Conditioned(args.Flag("conditional", false), [=](int64_t channels, int64_t z_channels) {
    ResidualStack::Options fitting = options;
    fitting.in = channels;
    fitting.z_channels = z_channels;
    return BuiltConditioned<ResidualStack>(out, fitting);
  });
}

// x [batch, time, bins, channels].
LayerForm ResNetForm(ArgReader& args) {
  ResNet::Options options;
  options.size = args.Accept(ParseResNetSize(args.Text("size", "large")));
  options.norm_type = ReadNormType(args, "layer");
  options.modulation = ReadModulation(args);
  return Conditioned(args.Flag("conditional", false), [=](int64_t channels, int64_t z_channels) {
    ResNet::Options fitting = options;
    fitting.channels = channels;
    fitting.z_channels = z_channels;
    return BuiltConditioned<ResNet>(ResNet::OutChannels(options.size), fitting);
  });
}

LayerForm PolyphaseForm(ArgReader& args) {
  const int64_t stride = args.Int("stride", 2, 1);
  const std::string type = args.Text("resample_type", "down"), rest = args.Text("trim_or_pad", "pad");
  if (type != "down" && type != "up") args.Reject(absl::StrCat("resample_type is '", type, "', expected down or up"));
  if (rest != "pad" && rest != "trim") args.Reject(absl::StrCat("trim_or_pad is '", rest, "', expected pad or trim"));
  const PolyphaseDirection direction = type == "up" ? PolyphaseDirection::kUp : PolyphaseDirection::kDown;
  const Remainder remainder = rest == "trim" ? Remainder::kTrim : Remainder::kPad;
  return Rearranging([=](const Tensor& x) { return PolyphaseResample(x, stride, direction, remainder); });
}

// As it is when nothing trains.
LayerForm VectorQuantizationForm(ArgReader& args) {
  VectorQuantization::Options options;
  options.k = ReadRequired(args, "k");
  options.num_heads = args.Int("num_heads", options.num_heads, 1);
  options.gamma = args.Number("gamma", options.gamma);
  options.restart_threshold = args.Number("restart_threshold", options.restart_threshold);
  options.commitment_loss_weight = args.Number("commitment_loss_weight", options.commitment_loss_weight);
  LayerForm form;
  form.results = {"z", "c"};
  form.build = [=](const Tensors& inputs) {
    const int64_t channels = ChannelsOf(inputs[0], "x");
    auto layer = std::make_shared<VectorQuantization>(channels, options);
    const auto forward = [=](const Tensors& in) {
      const VectorQuantization::Output output = layer->Forward(in[0]);
      return Tensors{output.z, output.c};
    };
    return BuiltLayer{layer, forward, channels};
  };
  return form;
}

constexpr LayerClass kClasses[] = {
    {"nn.ConditionalNorm", ConditionalNormForm},
    {"nn.DilatedConvStack", DilatedConvStackForm},
    {"nn.Fc", FcForm},
    {"nn.FcStack", FcStackForm},
    {"nn.FcStackOut", FcStackOutForm},
    {"nn.Identity", [](ArgReader&) { return Pointwise([](const Tensor& x) { return x; }); }},
    {"nn.Normalize", NormalizeForm},
    {"nn.NormReluConv", NormReluConvForm},
    {"nn.PolyphaseResample", PolyphaseForm},
    {"nn.ResidualLayer", ResidualLayerForm},
    {"nn.ResidualStack", ResidualStackForm},
    {"nn.ResNet", ResNetForm},
    {"nn.Rnn", RnnForm},
    {"nn.RnnFc", RnnFcForm},
    {"nn.RnnSandwich", RnnSandwichForm},
    {"nn.SingleGru", SingleGruForm},
    {"nn.StatelessRnn", StatelessRnnForm},
    {"nn.VectorQuantization", VectorQuantizationForm},
};

}  // namespace

DilatedConvStack::Options ReadStack(ArgReader& args, const std::string& norm_type) {
  DilatedConvStack::Options options;
  options.ch = args.Int("ch", options.ch, 1);
  options.layers_per_stack = ReadCount(args, "layers_per_stack", options.layers_per_stack, 1);
  options.stacks = ReadCount(args, "stacks", options.stacks, 1);
  options.kernel_size = args.Int("kernel_size", options.kernel_size, 1);
  options.dilation = args.Int("dilation", options.dilation, INT64_MIN);
  options.norm_type = args.Accept(ParseNormType(args.Text("norm_type", norm_type)));
  options.resample_stride = args.Int("resample_stride", options.resample_stride, 1);
  options.stacks_per_resample = ReadCount(args, "stacks_per_resample", options.stacks_per_resample, 1);
  if (!args.Flag("resample_after_convolve", true)) {
    options.resample_order = DilatedConvStack::ResampleOrder::kBeforeConvolve;
  }
  if (args.Flag("spectral_norm", false)) options.kernel_norm = DilatedConvStack::KernelNorm::kSpectral;
  if (args.Flag("ortho_init", false)) options.kernel_initializer = Initializer::kOrthogonal;
  return options;
}

DilatedConvStack::Options ReadDilatedConvStack(ArgReader& args) {
  DilatedConvStack::Options options = ReadStack(args, "");
  options.modulation = ReadModulation(args);
  options.resample = ReadResample(args);
  options.z_channels = args.Flag("conditional", false) ? 1 : 0;
  return options;
}

absl::Span<const LayerClass> PlainLayers() { return kClasses; }

}  // namespace ddsp
