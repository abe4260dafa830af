#include "core/graph/processor_group.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

ProcessorContext ContextOf(const Processor& processor, const GroupContext& group) {
  ProcessorContext context;
  context.generator = group.generator;
  context.noise = Optional(group.noise, processor.name());
  for (const ParameterSpec& parameter : processor.parameters()) {
    const at::Tensor value = Optional(group.parameters, absl::StrCat(processor.name(), "/", parameter.name));
    if (value.defined()) context.parameters[parameter.name] = value;
  }
  return context;
}

}  // namespace

std::vector<ParameterSpec> ProcessorGroup::parameters() const {
  std::vector<ParameterSpec> all;
  for (const auto& node : graph_.nodes()) {
    for (ParameterSpec parameter : node.processor->parameters()) {
      parameter.name = absl::StrCat(node.processor->name(), "/", parameter.name);
      all.push_back(std::move(parameter));
    }
  }
  return all;
}

absl::StatusOr<NamedTensors> ProcessorGroup::Run(const NamedTensors& inputs, const GroupContext& context) const {
  NamedTensors available = inputs, results;
  for (const auto& node : graph_.nodes()) {
    const Processor& processor = *node.processor;
    NamedTensors arguments;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      ASSIGN_OR_RETURN(arguments[processor.inputs()[i].name], Lookup(available, node.inputs[i]));
    }
    ASSIGN_OR_RETURN(const ProcessorOutput output, processor.Run(arguments, ContextOf(processor, context)));
    const bool last = &node == &graph_.nodes().back();
    for (const std::string& owner :
         last ? std::vector<std::string>{processor.name(), "out"} : std::vector<std::string>{processor.name()}) {
      results[owner + "/signal"] = output.signal;
      for (const auto& [name, control] : output.controls) results[absl::StrCat(owner, "/controls/", name)] = control;
    }
    available.insert(results.begin(), results.end());
  }
  return results;
}

absl::StatusOr<at::Tensor> ProcessorGroup::GetSignal(const NamedTensors& inputs, const GroupContext& context) const {
  ASSIGN_OR_RETURN(const NamedTensors results, Run(inputs, context));
  return Lookup(results, "out/signal");
}

NamedTensors InitialParameters(const ProcessorGroup& group, std::optional<at::Generator> generator) {
  NamedTensors values;
  for (const ParameterSpec& spec : group.parameters()) {
    at::Tensor value = at::full(spec.shape, spec.initial_mean, at::kFloat);
    if (spec.initial_stddev > 0) value.normal_(spec.initial_mean, spec.initial_stddev, generator);
    values[spec.name] = value;
  }
  return values;
}

}  // namespace ddsp
