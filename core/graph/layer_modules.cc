// Runs layers as nodes. Their sizes follow from what arrives, so a layer is made anew for every call and given its
// parameters, or fresh ones.
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

}  // namespace

const LayerClass* FindLayer(absl::Span<const LayerClass> classes, const std::string& name) {
  for (const LayerClass& layer : classes) {
    if (MeansClass(name, layer.name)) return &layer;
  }
  return nullptr;
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

std::unique_ptr<GraphModule> MakeLayerModule(const GraphNode& node, ArgReader& args) {
  const LayerClass* layer = FindLayer(PlainLayers(), node.class_name);
  if (layer == nullptr) layer = FindLayer(CoderLayers(), node.class_name);
  if (layer == nullptr) return nullptr;
  args.Text("name", "");
  LayerForm form = layer->form(args);
  std::vector<std::string> names = NamesOf(form, node, args);
  return std::make_unique<LayerModule>(std::move(form), std::move(names));
}

std::vector<std::string> LayerClasses() {
  std::vector<std::string> classes;
  for (const auto& table : {PlainLayers(), CoderLayers()}) {
    for (const LayerClass& layer : table) classes.push_back(layer.name);
  }
  return classes;
}

}  // namespace ddsp
