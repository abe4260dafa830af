// Runs a validated graph of processors (upstream: processors.py, ProcessorGroup).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/graph/graph_spec.h"

namespace ddsp {

struct GroupContext {
  NamedTensors parameters;                 // "reverb/magnitudes", ...: those of parameters()
  NamedTensors noise;                      // by node, used instead of draws
  std::optional<at::Generator> generator;  // for the draws of all nodes
};

// Immutable, hence safe to share.
class ProcessorGroup {
 public:
  explicit ProcessorGroup(ValidatedGraph graph) : graph_(std::move(graph)) {}

  const ValidatedGraph& graph() const { return graph_; }
  // The trainable parameters of all nodes, named "node/parameter" (upstream's checkpoints:
  // processor_group/node/parameter).
  std::vector<ParameterSpec> parameters() const;

  // Everything that the nodes compute: "node/signal", "node/controls/x", and the last node's again as "out/signal",
  // "out/controls/x". Upstream: get_controls. Errors: NOT_FOUND for a graph input that is not given, INVALID_ARGUMENT
  // naming the node.
  absl::StatusOr<NamedTensors> Run(const NamedTensors& inputs, const GroupContext& context = {}) const;
  // "out/signal" alone. Upstream: __call__.
  absl::StatusOr<at::Tensor> GetSignal(const NamedTensors& inputs, const GroupContext& context = {}) const;

 private:
  const ValidatedGraph graph_;
};

// Fresh values for parameters(), drawn with LibTorch's default generator if none is given.
NamedTensors InitialParameters(const ProcessorGroup& group, std::optional<at::Generator> generator = std::nullopt);

}  // namespace ddsp
