// A processor graph as text describes it, and the same after every name in it has been checked (upstream: dags.py,
// processors.py).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/processors/constructor_args.h"
#include "core/processors/processor.h"

namespace ddsp {

// One processor and where its inputs come from, in the order of its ports. A key is a graph input ("f0_hz" or
// "inputs/f0_hz"), or a result of an earlier node: "harmonic/signal", "harmonic/controls/f0_hz".
struct GraphNode {
  std::string name;        // unique in the graph; results are found below it
  std::string class_name;  // "synths.Harmonic"
  ConstructorArgs args;
  std::vector<std::string> inputs;
};

struct GraphSpec {
  std::vector<std::string> inputs;  // keys that a caller has to give
  std::vector<GraphNode> nodes;     // in order of execution; the last one makes the output
};

class ValidatedGraph;

// Checks classes, arguments, names, keys, ports and order, and constructs the processors.
// Errors: INVALID_ARGUMENT with everything that is wrong, each with its node's name.
absl::StatusOr<ValidatedGraph> ValidateGraphSpec(const GraphSpec& spec);

class ValidatedGraph {
 public:
  struct Node {
    std::shared_ptr<const Processor> processor;
    std::vector<std::string> inputs;  // keys; "inputs/" removed
  };
  const std::vector<std::string>& inputs() const { return inputs_; }
  const std::vector<Node>& nodes() const { return nodes_; }

 private:
  friend absl::StatusOr<ValidatedGraph> ValidateGraphSpec(const GraphSpec& spec);
  ValidatedGraph() = default;

  std::vector<std::string> inputs_;
  std::vector<Node> nodes_;
};

}  // namespace ddsp
