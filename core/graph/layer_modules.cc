// Layers as nodes of a graph. Their sizes follow from what arrives, so a layer is made anew for every call and given
// its parameters, or fresh ones.
#include <functional>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/graph/module_tables.h"
#include "core/nn/dilated_conv_stack.h"
#include "core/nn/fully_connected.h"
#include "core/nn/normalization.h"
#include "core/nn/rnn_layers.h"

namespace ddsp {
namespace {

using at::Tensor;

// A layer that fits an input, and how to call it.
struct BuiltLayer {
  std::shared_ptr<Layer> layer;  // null: it has no parameters
  std::function<Tensor(const Tensor&)> forward;
};
using Build = std::function<BuiltLayer(int64_t channels)>;

template <typename L, typename... Args>
BuiltLayer Built(Args&&... args) {
  auto layer = std::make_shared<L>(std::forward<Args>(args)...);
  return {layer, [layer](const Tensor& x) { return layer->Forward(x); }};
}

class LayerModule : public GraphModule {
 public:
  LayerModule(std::vector<std::string> outputs, Build build)
      : GraphModule(ModuleKind::kLayer, {{.name = "x"}}, std::move(outputs)), build_(std::move(build)) {}

  absl::StatusOr<NamedTensors> Run(const std::vector<Tensor>& inputs, const ProcessorContext& context) const override {
    const Tensor& x = inputs.at(0);
    if (x.dim() < 2) return absl::InvalidArgumentError("x has fewer than two axes");
    ASSIGN_OR_RETURN(const BuiltLayer built, CatchTorch([&] { return build_(x.size(-1)); }));
    if (built.layer != nullptr) RETURN_IF_ERROR(Fill(*built.layer, context));
    ASSIGN_OR_RETURN(const Tensor y, CatchTorch([&] { return built.forward(x); }));
    return NamedTensors{{results().front(), y}};
  }

 private:
  static absl::Status Fill(Layer& layer, const ProcessorContext& context) {
    if (!context.parameters.empty()) return UseParameters(layer, context.parameters);
    InitializeParameters(layer, context.generator);
    return absl::OkStatus();
  }

  const Build build_;
};

RnnType ReadRnnType(ArgReader& args, const char* fallback = "gru") {
  return args.Accept(ParseRnnType(args.Text("rnn_type", fallback)));
}

Nonlinearity ReadNonlinearity(ArgReader& args, const std::string& name, const std::string& fallback) {
  const std::string text = args.Text(name, fallback);
  return text.empty() ? Nonlinearity::kLinear : args.Accept(ParseNonlinearity(text));
}

NormType ReadNormType(ArgReader& args, const char* fallback) {
  return args.Accept(ParseNormType(args.Text("norm_type", fallback)));
}

BuiltLayer Activation(Nonlinearity nonlinearity) {
  return {nullptr, [nonlinearity](const Tensor& x) { return Activate(nonlinearity, x); }};
}

int64_t Required(ArgReader& args, const std::string& name) {
  const int64_t value = args.Int(name, -1, 1);
  if (value == -1) args.Reject(name + " is missing");
  return std::max<int64_t>(value, 1);
}

Build MakeDense(ArgReader& args) {
  const int64_t units = Required(args, "units");
  const Nonlinearity activation = ReadNonlinearity(args, "activation", "");
  return [=](int64_t channels) {
    auto dense = std::make_shared<Dense>(channels, units);
    return BuiltLayer{dense, [=](const Tensor& x) { return Activate(activation, dense->Forward(x)); }};
  };
}

Build MakeFc(ArgReader& args) {
  const int64_t ch = args.Int("ch", 128, 1);
  const Nonlinearity nonlinearity = ReadNonlinearity(args, "nonlinearity", "leaky_relu");
  return [=](int64_t channels) { return Built<Fc>(channels, ch, nonlinearity); };
}

Build MakeFcStack(ArgReader& args) {
  const int64_t ch = args.Int("ch", 256, 1), layers = args.Int("layers", 2, 0);
  const Nonlinearity nonlinearity = ReadNonlinearity(args, "nonlinearity", "leaky_relu");
  return [=](int64_t channels) { return Built<FcStack>(channels, ch, layers, nonlinearity); };
}

Build MakeRnn(ArgReader& args) {
  Rnn::Options options;
  options.dims = Required(args, "dims");
  options.type = ReadRnnType(args);
  if (args.Flag("bidir", false)) options.direction = RnnDirection::kBoth;
  if (!args.Flag("return_sequences", true)) options.result = RnnResult::kLastStep;
  return [=](int64_t channels) {
    Rnn::Options fitting = options;
    fitting.in = channels;
    return Built<Rnn>(fitting);
  };
}

Build MakeSingleGru(ArgReader& args) {
  const int64_t dim = args.Int("gru_dim", 128, 1);
  return [=](int64_t channels) { return Built<SingleGru>(channels, dim); };
}

Build MakeRnnSandwich(ArgReader& args) {
  RnnSandwich::Options options;
  options.fc_stack_ch = args.Int("fc_stack_ch", options.fc_stack_ch, 1);
  options.fc_stack_layers = args.Int("fc_stack_layers", options.fc_stack_layers, 0);
  options.rnn_ch = args.Int("rnn_ch", options.rnn_ch, 1);
  options.rnn_type = ReadRnnType(args);
  return [=](int64_t channels) {
    RnnSandwich::Options fitting = options;
    fitting.in = channels;
    return Built<RnnSandwich>(fitting);
  };
}

Build MakeDilatedConvStack(ArgReader& args) {
  DilatedConvStack::Options options;
  options.ch = args.Int("ch", options.ch, 1);
  options.layers_per_stack = args.Int("layers_per_stack", options.layers_per_stack, 1);
  options.stacks = args.Int("stacks", options.stacks, 1);
  options.kernel_size = args.Int("kernel_size", options.kernel_size, 1);
  options.dilation = args.Int("dilation", options.dilation, INT64_MIN);
  options.norm_type = ReadNormType(args, "");
  if (args.Flag("conditional", false)) args.Reject("conditional is true, which a graph cannot do");
  return [=](int64_t channels) {
    DilatedConvStack::Options fitting = options;
    fitting.in = channels;
    return Built<DilatedConvStack>(fitting);
  };
}

Build MakeNormalize(ArgReader& args) {
  const NormType type = ReadNormType(args, "layer");
  return [=](int64_t channels) { return Built<Normalize>(channels, type); };
}

struct Entry {
  const char* class_name;
  Build (*make)(ArgReader& args);
};

constexpr Entry kEntries[] = {
    {"keras.layers.Dense", MakeDense},
    {"keras.layers.Activation",
     [](ArgReader& args) -> Build {
       const Nonlinearity activation = ReadNonlinearity(args, "activation", "");
       return [=](int64_t) { return Activation(activation); };
     }},
    {"keras.layers.ReLU", [](ArgReader&) -> Build { return [](int64_t) { return Activation(Nonlinearity::kRelu); }; }},
    {"keras.layers.LayerNormalization",
     [](ArgReader&) -> Build { return [](int64_t channels) { return Built<LayerNormalization>(channels); }; }},
    {"nn.Identity",
     [](ArgReader&) -> Build { return [](int64_t) { return Activation(Nonlinearity::kLinear); }; }},
    {"nn.Fc", MakeFc},
    {"nn.FcStack", MakeFcStack},
    {"nn.Rnn", MakeRnn},
    {"nn.SingleGru", MakeSingleGru},
    {"nn.RnnSandwich", MakeRnnSandwich},
    {"nn.DilatedConvStack", MakeDilatedConvStack},
    {"nn.Normalize", MakeNormalize},
};

}  // namespace

std::unique_ptr<GraphModule> MakeLayerModule(const GraphNode& node, ArgReader& args) {
  for (const Entry& entry : kEntries) {
    if (!MeansClass(node.class_name, entry.class_name)) continue;
    if (node.outputs.size() != 1) {
      args.Reject(absl::StrCat("a layer makes 1 output, for which ", node.outputs.size(), " names are given"));
    }
    args.Text("name", "");
    const auto outputs = node.outputs.empty() ? std::vector<std::string>{"out"} : node.outputs;
    return std::make_unique<LayerModule>(outputs, entry.make(args));
  }
  return nullptr;
}

std::vector<std::string> LayerClasses() {
  std::vector<std::string> classes;
  for (const Entry& entry : kEntries) classes.push_back(entry.class_name);
  return classes;
}

}  // namespace ddsp
