#include "core/graph/validated_graph.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ddsp {
namespace {

// Collects results of nodes as they become available, and problems.
class Checker {
 public:
  explicit Checker(const GraphSpec& spec) : spec_(spec), inputs_(spec.inputs.begin(), spec.inputs.end()) {
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
      const int64_t* integer = std::get_if<int64_t>(&value);
      if (integer == nullptr || *integer <= largest) continue;
      Problem(node, absl::StrCat(name, " is ", *integer, ", expected at most ", largest));
    }
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

 private:
  std::string ResultsOf(const std::string& owner) const {
    std::vector<std::string> names;
    std::copy_if(results_.begin(), results_.end(), std::back_inserter(names),
                 [&](const std::string& r) { return r.starts_with(owner + "/"); });
    return absl::StrJoin(names, ", ");
  }

  const GraphSpec& spec_;
  const std::set<std::string> inputs_;
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
  graph.inputs_ = spec.inputs;
  for (const GraphNode& node : spec.nodes) {
    checker.CheckName(node);
    checker.CheckArguments(node, limits.max_argument);
    ValidatedGraph::Node valid{node, nullptr};
    for (std::string& key : valid.spec.inputs) {
      checker.CheckKey(node, key);
      key = BareKey(key);
    }
    auto module = MakeGraphModule(node);
    if (module.ok()) {
      checker.CheckPorts(node, **module);
      valid.module = *std::move(module);
    } else {
      checker.Problem(node, std::string(module.status().message()));
    }
    checker.AddResults(node, valid.module.get());
    graph.nodes_.push_back(std::move(valid));
  }
  if (checker.problems().empty()) return graph;
  return absl::InvalidArgumentError(absl::StrJoin(checker.problems(), "\n"));
}

}  // namespace ddsp
