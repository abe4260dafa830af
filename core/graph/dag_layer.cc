#include "core/graph/dag_layer.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/processors/noise_source.h"

namespace ddsp {
namespace {

ProcessorContext ContextOf(const ValidatedGraph::Node& node, const GroupContext& group, int64_t* draws) {
  ProcessorContext context;
  context.generator = group.generator;
  context.part = group.part;
  if (group.seed && node.module->randomness() == Randomness::kDrawsNoise) {
    context.seed = SeedOfDraw(*group.seed, (*draws)++);
  }
  context.noise = Optional(group.noise, node.spec.name);
  const std::string prefix = node.spec.name + "/";
  for (auto it = group.parameters.lower_bound(prefix); it != group.parameters.end(); ++it) {
    if (!it->first.starts_with(prefix)) break;
    context.parameters[it->first.substr(prefix.size())] = it->second;
  }
  return context;
}

}  // namespace

std::vector<ParameterSpec> DagLayer::parameters() const {
  std::vector<ParameterSpec> all;
  for (const auto& node : graph_.nodes()) {
    for (ParameterSpec parameter : node.module->parameters()) {
      parameter.name = absl::StrCat(node.spec.name, "/", parameter.name);
      all.push_back(std::move(parameter));
    }
  }
  return all;
}

absl::StatusOr<NamedTensors> DagLayer::Run(const NamedTensors& inputs, const GroupContext& context) const {
  NamedTensors available = inputs, results;
  int64_t draws = 0;
  for (const auto& node : graph_.nodes()) {
    std::vector<at::Tensor> arguments;
    for (const std::string& key : node.spec.inputs) {
      if (key.empty()) {
        arguments.emplace_back();
        continue;
      }
      auto argument = Lookup(available, key);
      if (!argument.ok()) return WithName(absl::StrCat("node ", node.spec.name), argument.status());
      arguments.push_back(*std::move(argument));
    }
    auto output = node.module->Run(arguments, ContextOf(node, context, &draws));
    if (!output.ok()) return WithName(absl::StrCat("node ", node.spec.name), output.status());
    for (const auto& [name, value] : *output) {
      available[absl::StrCat(node.spec.name, "/", name)] = results[absl::StrCat(node.spec.name, "/", name)] = value;
      if (&node == &graph_.nodes().back()) results["out/" + name] = value;
    }
  }
  return results;
}

NamedTensors InitialParameters(const DagLayer& graph, std::optional<at::Generator> generator) {
  NamedTensors values;
  for (const ParameterSpec& spec : graph.parameters()) {
    at::Tensor value = at::full(spec.shape, spec.initial_mean, at::kFloat);
    if (spec.initial_stddev > 0) value.normal_(spec.initial_mean, spec.initial_stddev, generator);
    values[spec.name] = value;
  }
  return values;
}

}  // namespace ddsp
