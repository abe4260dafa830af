#include "tests/golden/graph_args.h"

#include "core/graph/gin_graph.h"
#include "tests/golden/call.h"

namespace ddsp::golden {
namespace {

using Json = nlohmann::json;

ArgValue ToArgValue(const std::string& name, const Json& value) {
  if (value.is_null()) return std::monostate();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) return value.get<std::vector<int64_t>>();
  throw Unsupported("argument " + name + " of this type");
}

// Upstream's form where our default is another one.
void TakeUpstreamForms(const std::string& class_name, ConstructorArgs* args) {
  const auto angular = args->find("use_angular_cumsum");
  const bool is_angular = angular != args->end() && angular->second == ArgValue(true);
  if (!args->contains("phase") &&
      (class_name == "synths.Sinusoidal" || (class_name == "synths.Harmonic" && !is_angular))) {
    (*args)["phase"] = "cumsum";
  }
  if (class_name == "processors.Mix") (*args)["gains"] = "upstream";
  if (class_name == "effects.ModDelay") (*args)["delay_end"] = "wrap";
}

}  // namespace

ConstructorArgs ToConstructorArgs(const std::string& class_name, const Json& args) {
  ConstructorArgs converted;
  for (const auto& [name, value] : args.items()) {
    if (name != "name") converted[name] = ToArgValue(name, value);
  }
  TakeUpstreamForms(class_name, &converted);
  return converted;
}

bool DrawsNoise(const std::string& class_name) {
  return class_name == "synths.FilteredNoise" || class_name == "effects.FilteredNoiseReverb" ||
         class_name == "effects.ExpDecayReverb";
}

GraphSpec GraphFromModules(const Json& dag, const Json& modules, std::vector<std::string> inputs) {
  GraphSpec spec;
  spec.inputs = std::move(inputs);
  for (const Json& entry : dag) {
    GraphNode node;
    node.name = entry.at(0).get<std::string>();
    node.inputs = entry.at(1).get<std::vector<std::string>>();
    if (entry.size() > 2) node.outputs = entry.at(2).get<std::vector<std::string>>();
    if (!modules.contains(node.name)) throw Rejected("no module " + node.name);
    node.class_name = modules[node.name].at("class").get<std::string>();
    node.args = ToConstructorArgs(node.class_name, modules[node.name].value("args", Json::object()));
    spec.nodes.push_back(std::move(node));
  }
  return spec;
}

GraphSpec GraphFromArgs(const GinArgs& gin, std::vector<std::string> inputs) {
  GraphSpec spec = Unwrap(GraphFromGin(gin.config()));
  spec.inputs = std::move(inputs);
  for (GraphNode& node : spec.nodes) TakeUpstreamForms(node.class_name, &node.args);
  return spec;
}

}  // namespace ddsp::golden
