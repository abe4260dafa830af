#include "core/graph/graph_module.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/graph/layer_form.h"
#include "core/graph/module_tables.h"
#include "core/processors/processor_factory.h"

namespace ddsp {
namespace {

std::vector<std::string> ResultsOf(const Processor& processor) {
  std::vector<std::string> results = {"signal"};
  for (const std::string& control : processor.controls()) results.push_back("controls/" + control);
  return results;
}

class ProcessorModule : public GraphModule {
 public:
  explicit ProcessorModule(std::unique_ptr<const Processor> processor)
      : GraphModule(ModuleKind::kProcessor, processor->inputs(), ResultsOf(*processor)),
        processor_(std::move(processor)) {}

  std::vector<ParameterSpec> parameters() const override { return processor_->parameters(); }
  Randomness randomness() const override { return processor_->randomness(); }

  absl::StatusOr<NamedTensors> Run(const std::vector<at::Tensor>& inputs,
                                   const ProcessorContext& context) const override {
    NamedTensors arguments;
    for (size_t i = 0; i < inputs.size(); ++i) arguments[this->inputs()[i].name] = inputs[i];
    ASSIGN_OR_RETURN(ProcessorOutput output, processor_->Run(arguments, context));
    NamedTensors results = {{"signal", output.signal}};
    for (const auto& [name, control] : output.controls) results["controls/" + name] = control;
    return results;
  }

 private:
  const std::unique_ptr<const Processor> processor_;
};

}  // namespace

bool MeansClass(const std::string& name, const std::string& class_name) {
  return name == class_name || class_name.ends_with("." + name) || name.ends_with("." + class_name);
}

absl::StatusOr<std::unique_ptr<GraphModule>> MakeGraphModule(const GraphNode& node) {
  for (const auto make : {MakeLossModule, MakeLayerModule}) {
    ArgReader args(node.args);
    if (std::unique_ptr<GraphModule> module = make(node, args)) {
      RETURN_IF_ERROR(args.Finish());
      return module;
    }
  }
  if (const std::string reason = WhyKerasHasNoPlace(node.class_name); !reason.empty()) {
    return absl::UnimplementedError(reason);
  }
  if (!node.outputs.empty()) return absl::InvalidArgumentError("only a layer has outputs to name");
  auto processor = MakeProcessor(node.class_name, node.name, node.args);
  if (absl::IsNotFound(processor.status())) {
    std::vector<std::string> classes = ProcessorClasses();
    for (const auto& more : {LossClasses(), LayerClasses()}) classes.insert(classes.end(), more.begin(), more.end());
    return absl::NotFoundError(
        absl::StrCat("no class '", node.class_name, "'; there are ", absl::StrJoin(classes, ", ")));
  }
  RETURN_IF_ERROR(processor.status());
  return std::make_unique<ProcessorModule>(*std::move(processor));
}

}  // namespace ddsp
