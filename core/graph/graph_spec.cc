#include "core/graph/graph_spec.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/processors/processor_factory.h"

namespace ddsp {
namespace {

constexpr char kInputsPrefix[] = "inputs/";

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

  // Returns the key without "inputs/".
  std::string CheckKey(const GraphNode& node, const std::string& key) {
    const bool explicit_input = key.starts_with(kInputsPrefix);
    const std::string bare = explicit_input ? key.substr(sizeof(kInputsPrefix) - 1) : key;
    if (inputs_.contains(bare) || (!explicit_input && results_.contains(key))) return bare;
    const std::string owner = key.substr(0, key.find('/'));
    if (!explicit_input && done_.contains(owner)) {
      Problem(node, absl::StrCat("input '", key, "': node ", owner, " has no such result; it has ", ResultsOf(owner)));
    } else if (!explicit_input && all_nodes_.contains(owner)) {
      Problem(node, absl::StrCat("input '", key, "' is computed by ",
                                 owner == node.name ? "the node itself" : "a later node"));
    } else {
      Problem(node, absl::StrCat("input '", key, "' is neither a graph input (", absl::StrJoin(spec_.inputs, ", "),
                                 ") nor a node's result"));
    }
    return bare;
  }

  void CheckPorts(const GraphNode& node, const Processor& processor) {
    const auto& ports = processor.inputs();
    const auto required = std::count_if(ports.begin(), ports.end(), [](const Port& port) { return port.required; });
    const auto given = static_cast<std::ptrdiff_t>(node.inputs.size());
    if (given >= required && given <= static_cast<std::ptrdiff_t>(ports.size())) return;
    const auto name = [](std::string* out, const Port& port) {
      out->append(port.required ? port.name : port.name + " (optional)");
    };
    Problem(node, absl::StrCat("has ", given, " inputs, expected ", absl::StrJoin(ports, ", ", name)));
  }

  void AddResults(const GraphNode& node, const Processor* processor) {
    done_.insert(node.name);
    results_.insert(node.name + "/signal");
    if (processor == nullptr) return;
    for (const std::string& control : processor->controls())
      results_.insert(absl::StrCat(node.name, "/controls/", control));
  }

  void Problem(const GraphNode& node, const std::string& what) {
    problems_.push_back(absl::StrCat("node ", node.name, ": ", what));
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
  std::set<std::string> all_nodes_, done_, results_;
  std::vector<std::string> problems_;
};

}  // namespace

absl::StatusOr<ValidatedGraph> ValidateGraphSpec(const GraphSpec& spec) {
  Checker checker(spec);
  ValidatedGraph graph;
  graph.inputs_ = spec.inputs;
  for (const GraphNode& node : spec.nodes) {
    checker.CheckName(node);
    ValidatedGraph::Node valid;
    for (const std::string& key : node.inputs) valid.inputs.push_back(checker.CheckKey(node, key));
    auto processor = MakeProcessor(node.class_name, node.name, node.args);
    if (processor.ok()) {
      checker.CheckPorts(node, **processor);
      valid.processor = *std::move(processor);
    } else {
      checker.Problem(node, std::string(processor.status().message()));
    }
    checker.AddResults(node, valid.processor.get());
    graph.nodes_.push_back(std::move(valid));
  }
  std::vector<std::string> problems = checker.problems();
  if (spec.nodes.empty()) problems.push_back("graph has no nodes");
  if (problems.empty()) return graph;
  return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
}

}  // namespace ddsp
