// A graph after every name in it has been checked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/graph/graph_limits.h"
#include "core/graph/graph_module.h"
#include "core/graph/graph_spec.h"

namespace ddsp {

class ValidatedGraph;

// Checks classes, arguments, names, keys, ports and order, and constructs the modules.
// Errors: INVALID_ARGUMENT with everything that is wrong, a line each: "solo.gin:3:4: node add: input 'x': ...".
absl::StatusOr<ValidatedGraph> ValidateGraphSpec(const GraphSpec& spec, const GraphLimits& limits = {});

class ValidatedGraph {
 public:
  struct Node {
    GraphNode spec;  // keys of inputs without "inputs/"
    std::shared_ptr<const GraphModule> module;
  };
  const std::vector<std::string>& inputs() const { return inputs_; }
  const std::vector<Node>& nodes() const { return nodes_; }

 private:
  friend absl::StatusOr<ValidatedGraph> ValidateGraphSpec(const GraphSpec& spec, const GraphLimits& limits);
  ValidatedGraph() = default;

  std::vector<std::string> inputs_;
  std::vector<Node> nodes_;
};

}  // namespace ddsp
