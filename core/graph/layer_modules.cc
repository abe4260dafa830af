// Runs layers as nodes. Their sizes follow from what arrives, so a layer is made anew for every call and given its
// parameters, or fresh ones.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"
#include "core/graph/layer_form.h"
#include "core/graph/module_tables.h"

namespace ddsp {
namespace {

using at::Tensor;

constexpr int64_t kMostCounted = 1024;
constexpr int64_t kDeepest = 8;  // layers in layers

absl::Status FillParameters(Layer& layer, const ProcessorContext& context) {
  if (!context.parameters.empty()) return UseParameters(layer, context.parameters);
  InitializeParameters(layer, context.generator);
  return absl::OkStatus();
}

class LayerModule : public GraphModule {
 public:
  LayerModule(LayerForm form, std::vector<std::string> results)
      : GraphModule(ModuleKind::kLayer, form.inputs, std::move(results)), build_(std::move(form.build)) {}

  absl::StatusOr<NamedTensors> Run(const std::vector<Tensor>& given, const ProcessorContext& context) const override {
    std::vector<Tensor> inputs = given;
    inputs.resize(this->inputs().size());
    ASSIGN_OR_RETURN(const BuiltLayer built, CatchTorch([&] { return build_(inputs); }));
    if (built.layer != nullptr) RETURN_IF_ERROR(FillParameters(*built.layer, context));
    ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, CatchTorch([&] { return built.forward(inputs); }));
    NamedTensors named;
    for (size_t i = 0; i < outputs.size(); ++i) named[results()[i]] = outputs[i];
    return named;
  }

 private:
  const std::function<BuiltLayer(const std::vector<Tensor>&)> build_;
};

// The results' names: the layer's, or those that the graph gives.
std::vector<std::string> NamesOf(const LayerForm& form, const GraphNode& node, ArgReader& args) {
  if (node.outputs.empty() || node.outputs == form.results) return form.results;
  if (form.naming == Naming::kByLayer) {
    args.Reject(absl::StrCat("its results are called ", absl::StrJoin(form.results, ", "), ", not ",
                             absl::StrJoin(node.outputs, ", ")));
  } else if (node.outputs.size() != form.results.size()) {
    args.Reject(absl::StrCat("a layer makes ", form.results.size(), form.results.size() == 1 ? " output" : " outputs",
                             ", for which ", node.outputs.size(), " names are given"));
  }
  return node.outputs;
}

// Takes the ports from `begin` to `end` away; the layer is given nothing there.
void LeaveOut(size_t begin, size_t end, LayerForm* form) {
  const auto inputs = form->inputs.begin();
  form->inputs.erase(inputs + static_cast<std::ptrdiff_t>(begin), inputs + static_cast<std::ptrdiff_t>(end));
  const auto all = [=](std::vector<Tensor> given) {
    given.insert(given.begin() + static_cast<std::ptrdiff_t>(begin), end - begin, Tensor());
    return given;
  };
  form->build = [=, build = std::move(form->build)](const std::vector<Tensor>& given) {
    BuiltLayer built = build(all(given));
    built.forward = [=, forward = std::move(built.forward)](const std::vector<Tensor>& in) { return forward(all(in)); };
    return built;
  };
}

// The layer's own keys, replaced by those of its constructor arguments; optional inputs that get none are left out.
void RenameKeys(ArgReader& args, LayerForm* form) {
  if (form->keys == KeyArguments::kNone) return;
  if (const std::vector<std::string> keys = args.Texts("input_keys", {}); !keys.empty()) {
    const auto is_required = [](const Port& port) { return port.required; };
    const auto last = form->inputs.end() - static_cast<std::ptrdiff_t>(form->kept_inputs);
    const auto most = static_cast<size_t>(last - form->inputs.begin()),
               fewest = static_cast<size_t>(std::count_if(form->inputs.begin(), last, is_required));
    if (keys.size() < fewest || keys.size() > most) {
      args.Reject(absl::StrCat("input_keys has ", keys.size(), " keys, for a layer of ", fewest,
                               fewest < most ? absl::StrCat(" to ", most) : "", " inputs"));
    } else {
      for (size_t i = 0; i < keys.size(); ++i) form->inputs[i] = {.name = keys[i]};
      if (keys.size() < most) LeaveOut(keys.size(), most, form);
    }
  }
  if (form->keys != KeyArguments::kInputsAndOutputs) return;
  if (const std::vector<std::string> keys = args.Texts("output_keys", {}); keys.size() == form->results.size()) {
    form->results = keys;
  } else if (!keys.empty()) {
    args.Reject(
        absl::StrCat("output_keys has ", keys.size(), " keys, for a layer of ", form->results.size(), " outputs"));
  }
}

constexpr absl::Span<const LayerClass> (*kTables[])() = {PlainLayers, CoderLayers, KerasLayers, KerasContainers};

}  // namespace

const LayerClass* FindLayer(absl::Span<const LayerClass> classes, const std::string& name) {
  for (const LayerClass& layer : classes) {
    if (MeansClass(name, layer.name)) return &layer;
  }
  return nullptr;
}

// A graph does not train, and computes in float32.
void ReadCommon(ArgReader& args) {
  args.Text("name", "");
  args.Flag("trainable", true);
  ExpectText(args, "dtype", "float32");
}

LayerForm FormOf(const LayerClass& layer, ArgReader& args) {
  ReadCommon(args);
  LayerForm form = layer.form(args);
  RenameKeys(args, &form);
  return form;
}

const LayerClass* FindNetLayer(const std::string& name) {
  for (const auto& table : {PlainLayers(), KerasLayers(), KerasContainers()}) {
    if (const LayerClass* layer = FindLayer(table, name)) return layer;
  }
  return nullptr;
}

LayerForm ReadInnerLayer(ArgReader& args, const std::string& name) {
  const std::string class_name = args.Text(name, "");
  const LayerClass* layer = class_name.empty() ? nullptr : FindNetLayer(class_name);
  ArgReader inner = args.Nested(name);
  if (layer == nullptr) {
    const std::string reason = WhyKerasHasNoPlace(class_name);
    args.Reject(absl::StrCat(name, " is '", class_name, "', expected a layer, e.g. nn.DilatedConvStack",
                             reason.empty() ? "" : "; ", reason));
  } else if (inner.depth() > kDeepest) {
    inner.Reject(absl::StrCat("is inside more than ", kDeepest, " layers"));
  } else {
    return FormOf(*layer, inner);
  }
  return {};
}

LayerForm OneToOne(std::function<BuiltLayer(int64_t channels)> build) {
  LayerForm form;
  form.build = [build = std::move(build)](const std::vector<Tensor>& inputs) {
    return build(ChannelsOf(inputs[0], "x"));
  };
  return form;
}

LayerForm Pointwise(std::function<Tensor(const Tensor&)> function) {
  return OneToOne([function = std::move(function)](int64_t channels) {
    return BuiltLayer{nullptr, [=](const std::vector<Tensor>& inputs) { return std::vector{function(inputs[0])}; },
                      channels};
  });
}

LayerForm Rearranging(std::function<Tensor(const Tensor&)> function) {
  LayerForm form;
  form.build = [function = std::move(function)](const std::vector<Tensor>& inputs) {
    const Tensor y = function(inputs[0]);
    return BuiltLayer{nullptr, [=](const std::vector<Tensor>& in) { return std::vector{function(in[0])}; },
                      y.dim() > 0 ? y.size(-1) : 0};
  };
  return form;
}

int64_t ChannelsOf(const Tensor& x, const std::string& port) {
  if (!x.defined()) return 0;
  DDSP_CHECK_ARGUMENT(x.dim() >= 2, port, " has shape ", x.sizes(), ", which is fewer than two axes");
  return x.size(-1);
}

int64_t ReadCount(ArgReader& args, const std::string& name, int64_t fallback, int64_t minimum) {
  const int64_t count = args.Int(name, fallback, minimum);
  if (count > kMostCounted) args.Reject(absl::StrCat(name, " is ", count, ", expected at most ", kMostCounted));
  return std::clamp(count, minimum, kMostCounted);
}

int64_t ReadRequired(ArgReader& args, const std::string& name) {
  const int64_t value = args.Int(name, -1, 1);
  if (value == -1) args.Reject(name + " is missing");
  return std::max<int64_t>(value, 1);
}

Nonlinearity ReadNonlinearity(ArgReader& args, const std::string& name, const std::string& fallback) {
  return args.Accept(ParseNonlinearity(args.Text(name, fallback)));
}

void ExpectText(ArgReader& args, const std::string& name, const std::string& only) {
  const std::string given = args.Text(name, only);
  if (given.empty() || given == only || given.ends_with("." + only)) return;
  args.Reject(absl::StrCat(name, " is ", given, ", which a graph cannot do: it is ", only.empty() ? "none" : only));
}

std::unique_ptr<GraphModule> MakeLayerModule(const GraphNode& node, ArgReader& args) {
  const LayerClass* layer = nullptr;
  for (const auto& table : kTables) {
    if (layer == nullptr) layer = FindLayer(table(), node.class_name);
  }
  if (layer == nullptr) return nullptr;
  LayerForm form = FormOf(*layer, args);
  std::vector<std::string> names = NamesOf(form, node, args);
  return std::make_unique<LayerModule>(std::move(form), std::move(names));
}

std::vector<std::string> LayerClasses() {
  std::vector<std::string> classes;
  for (const auto& table : kTables) {
    for (const LayerClass& layer : table()) classes.push_back(layer.name);
  }
  return classes;
}

}  // namespace ddsp
