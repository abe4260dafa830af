#include "core/graph/dag_layer.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ddsp {
namespace {

// Different noise for each node that draws.
class Seeds {
 public:
  explicit Seeds(std::optional<uint64_t> seed) : seed_(seed) {}

  std::optional<uint64_t> Next() {
    if (!seed_) return std::nullopt;
    const uint64_t seed = *seed_ + draws_ * 0x9e3779b97f4a7c15u;
    ++draws_;
    return seed;
  }

 private:
  const std::optional<uint64_t> seed_;
  uint64_t draws_ = 0;
};

bool DrawsNoise(const std::string& class_name) {
  for (const char* drawing : {"FilteredNoise", "FilteredNoiseReverb", "ExpDecayReverb"}) {
    if (class_name == drawing || class_name.ends_with(std::string(".") + drawing)) return true;
  }
  return false;
}

ProcessorContext ContextOf(const ValidatedGraph::Node& node, const GroupContext& group, Seeds& seeds) {
  ProcessorContext context;
  context.generator = group.generator;
  if (DrawsNoise(node.spec.class_name)) context.seed = seeds.Next();
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
  Seeds seeds(context.seed);
  for (const auto& node : graph_.nodes()) {
    std::vector<at::Tensor> arguments;
    for (const std::string& key : node.spec.inputs) {
      auto argument = Lookup(available, key);
      if (!argument.ok()) return WithName(absl::StrCat("node ", node.spec.name), argument.status());
      arguments.push_back(*std::move(argument));
    }
    auto output = node.module->Run(arguments, ContextOf(node, context, seeds));
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

absl::StatusOr<NamedTensors> RunLossGroup(const DagLayer& group, const NamedTensors& outputs) {
  ASSIGN_OR_RETURN(const NamedTensors results, group.Run(outputs));
  NamedTensors losses;
  for (const auto& node : group.graph().nodes()) {
    for (const std::string& name : node.module->results()) losses[name] = results.at(absl::StrCat(node.spec.name, "/", name));
  }
  return losses;
}

}  // namespace ddsp
