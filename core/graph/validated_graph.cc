#include "core/graph/validated_graph.h"

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ddsp {
namespace {

// Collects results of nodes as they become available, and problems.
class Checker {
 public:
  explicit Checker(const GraphSpec& spec)
      : spec_(spec), all_inputs_(spec.inputs), inputs_(spec.inputs.begin(), spec.inputs.end()) {
    for (const GraphNode& node : spec.nodes) all_nodes_.insert(node.name);
  }

  void CheckName(const GraphNode& node) {
    if (node.name.empty() || node.name.find('/') != std::string::npos) {
      Problem(node, "a name has at least one character and no '/'");
    } else if (node.name == "inputs" || node.name == "out") {
      Problem(node, "the name is reserved");
    } else if (inputs_.contains(node.name)) {
      Problem(node, "a graph input has the same name");
    } else if (done_.contains(node.name)) {
      Problem(node, "another node has the same name");
    }
  }

  void CheckArguments(const GraphNode& node, int64_t largest) {
    for (const auto& [name, value] : node.args) {
      for (const int64_t integer : IntegersOf(value)) {
        if (integer > largest) Problem(node, absl::StrCat(name, " is ", integer, ", expected at most ", largest));
      }
    }
  }

  // Whether a key stands for everything of a name.
  bool IsGroup(const std::string& key) const {
    return !inputs_.contains(key) && (key == "inputs" || done_.contains(key));
  }

  // The node's keys without groups: the other keys fill the first ports, each further port takes what has its name out
  // of the last group that has it, or becomes a graph input if "inputs" is among them. "" is an optional port that
  // nothing fills.
  std::vector<std::string> WithoutGroups(const GraphNode& node, const GraphModule& module) {
    std::vector<std::string> keys, groups;
    for (const std::string& key : node.inputs) (IsGroup(key) ? groups : keys).push_back(key);
    if (groups.empty()) return keys;
    for (size_t i = keys.size(); i < module.inputs().size(); ++i) {
      const Port& port = module.inputs()[i];
      std::optional<std::string> key = FindInGroups(groups, port.name);
      if (!key && port.required && std::find(groups.begin(), groups.end(), "inputs") != groups.end()) {
        key = AddInput(node, port.name);
      } else if (!key && port.required) {
        Problem(node, absl::StrCat("input ", port.name, " is in none of ", absl::StrJoin(groups, ", ")));
      }
      keys.push_back(key.value_or(""));
    }
    while (!keys.empty() && keys.back().empty()) keys.pop_back();
    return keys;
  }

  void CheckKey(const GraphNode& node, const std::string& key) {
    const std::string bare = BareKey(key);
    const bool explicit_input = bare != key;
    if (inputs_.contains(bare) || (!explicit_input && results_.contains(key))) return;
    const std::string owner = key.substr(0, key.find('/'));
    if (!explicit_input && done_.contains(owner)) {
      if (unknown_results_.contains(owner)) return;  // a node that has its own problem
      Problem(node, absl::StrCat("input '", key, "': node ", owner, " has no such result; it has ", ResultsOf(owner)));
    } else if (!explicit_input && all_nodes_.contains(owner)) {
      Problem(node, absl::StrCat("input '", key, "' is computed by ",
                                 owner == node.name ? "the node itself" : "a later node"));
    } else {
      Problem(node, absl::StrCat("input '", key, "' is neither a graph input (", absl::StrJoin(spec_.inputs, ", "),
                                 ") nor a node's result"));
    }
  }

  void CheckPorts(const GraphNode& node, const GraphModule& module) {
    const auto& ports = module.inputs();
    const auto required = std::count_if(ports.begin(), ports.end(), [](const Port& port) { return port.required; });
    const auto given = static_cast<std::ptrdiff_t>(node.inputs.size());
    if (given >= required && given <= static_cast<std::ptrdiff_t>(ports.size())) return;
    const auto name = [](std::string* out, const Port& port) {
      out->append(port.required ? port.name : port.name + " (optional)");
    };
    Problem(node, absl::StrCat("has ", given, " inputs, expected ", absl::StrJoin(ports, ", ", name)));
  }

  void AddResults(const GraphNode& node, const GraphModule* module) {
    done_.insert(node.name);
    if (module == nullptr) {
      unknown_results_.insert(node.name);
      return;
    }
    for (const std::string& result : module->results()) results_.insert(absl::StrCat(node.name, "/", result));
  }

  void Problem(const GraphNode& node, const std::string& what) {
    const std::string name = node.name.empty() ? "''" : node.name;
    problems_.push_back(absl::StrCat(node.where, node.where.empty() ? "" : ": ", "node ", name, ": ", what));
  }
  const std::vector<std::string>& problems() const { return problems_; }
  // Those of the text and those that "inputs" stands for besides.
  const std::vector<std::string>& inputs() const { return all_inputs_; }

 private:
  std::optional<std::string> FindInGroups(const std::vector<std::string>& groups, const std::string& name) const {
    for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
      if (*group == "inputs" && inputs_.contains(name)) return name;
      if (*group != "inputs" && results_.contains(absl::StrCat(*group, "/", name)))
        return absl::StrCat(*group, "/", name);
    }
    return std::nullopt;
  }

  std::string AddInput(const GraphNode& node, const std::string& name) {
    if (all_nodes_.contains(name)) Problem(node, absl::StrCat("graph input ", name, " has the name of a node"));
    if (inputs_.insert(name).second) all_inputs_.push_back(name);
    return name;
  }

  std::string ResultsOf(const std::string& owner) const {
    std::vector<std::string> names;
    std::copy_if(results_.begin(), results_.end(), std::back_inserter(names),
                 [&](const std::string& r) { return r.starts_with(owner + "/"); });
    return absl::StrJoin(names, ", ");
  }

  const GraphSpec& spec_;
  std::vector<std::string> all_inputs_;
  std::set<std::string> inputs_;
  std::set<std::string> all_nodes_, done_, results_, unknown_results_;
  std::vector<std::string> problems_;
};

}  // namespace

absl::StatusOr<ValidatedGraph> ValidateGraphSpec(const GraphSpec& spec, const GraphLimits& limits) {
  if (spec.nodes.empty()) return absl::InvalidArgumentError("graph has no nodes");
  if (spec.nodes.size() > limits.max_nodes) {
    return absl::InvalidArgumentError(
        absl::StrCat("graph has ", spec.nodes.size(), " nodes, expected at most ", limits.max_nodes));
  }
  Checker checker(spec);
  ValidatedGraph graph;
  for (const GraphNode& node : spec.nodes) {
    checker.CheckName(node);
    checker.CheckArguments(node, limits.max_argument);
    ValidatedGraph::Node valid{node, nullptr};
    auto module = MakeGraphModule(node);
    const bool takes_groups = module.ok() && (*module)->kind() == ModuleKind::kLayer;
    for (std::string& key : valid.spec.inputs) {
      if (takes_groups && checker.IsGroup(key)) continue;
      checker.CheckKey(node, key);
      key = BareKey(key);
    }
    if (module.ok()) {
      if (takes_groups) valid.spec.inputs = checker.WithoutGroups(valid.spec, **module);
      checker.CheckPorts(valid.spec, **module);
      valid.module = *std::move(module);
    } else {
      checker.Problem(node, std::string(module.status().message()));
    }
    checker.AddResults(node, valid.module.get());
    graph.nodes_.push_back(std::move(valid));
  }
  graph.inputs_ = checker.inputs();
  if (checker.problems().empty()) return graph;
  return absl::InvalidArgumentError(absl::StrJoin(checker.problems(), "\n"));
}

}  // namespace ddsp
