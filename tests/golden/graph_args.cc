#include "tests/golden/graph_args.h"

#include <cctype>

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
  throw Unsupported("argument " + name + " of this type");
}

// "synths.FilteredNoise" to "filtered_noise": what a processor is called by default.
std::string DefaultName(const std::string& class_name) {
  std::string name;
  for (const char c : class_name.substr(class_name.rfind('.') + 1)) {
    const bool upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (upper && !name.empty()) name += '_';
    name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return name;
}

}  // namespace

ConstructorArgs ToConstructorArgs(const std::string& class_name, const Json& args) {
  ConstructorArgs converted;
  for (const auto& [name, value] : args.items()) {
    if (name != "name") converted[name] = ToArgValue(name, value);
  }
  if (!args.contains("phase") &&
      (class_name == "synths.Sinusoidal" ||
       (class_name == "synths.Harmonic" && !args.value("use_angular_cumsum", false)))) {
    converted["phase"] = "cumsum";
  }
  if (class_name == "processors.Mix") converted["gains"] = "upstream";
  if (class_name == "effects.ModDelay") converted["delay_end"] = "wrap";
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
    if (!modules.contains(node.name)) throw Rejected("no module " + node.name);
    node.class_name = modules[node.name].at("class").get<std::string>();
    node.args = ToConstructorArgs(node.class_name, modules[node.name].value("args", Json::object()));
    spec.nodes.push_back(std::move(node));
  }
  return spec;
}

GraphSpec GraphFromGin(const GinText& gin, std::vector<std::string> inputs) {
  GraphSpec spec;
  spec.inputs = std::move(inputs);
  const Json group = gin.ParametersOf("ProcessorGroup");
  for (const Json& entry : group.at("dag")) {
    GraphNode node;
    node.class_name = entry.at(0).get<std::string>();
    const Json parameters = gin.ParametersOf(node.class_name);
    node.name = parameters.value("name", DefaultName(node.class_name));
    node.inputs = entry.at(1).get<std::vector<std::string>>();
    node.args = ToConstructorArgs(node.class_name, parameters);
    spec.nodes.push_back(std::move(node));
  }
  return spec;
}

}  // namespace ddsp::golden
