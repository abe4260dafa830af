// Runs a validated graph of processors, layers and losses (upstream: dags.py, DAGLayer).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/graph/validated_graph.h"

namespace ddsp {

struct GroupContext {
  NamedTensors parameters;       // "reverb/magnitudes", "encoder/kernel", ...; a layer without any draws fresh ones
  NamedTensors noise;            // by node, used instead of draws
  std::optional<uint64_t> seed;  // of the noise: the first node that draws has it, later ones have others made of it
  std::optional<at::Generator> generator;  // for noise without a seed, and for fresh parameters
  BatchPart part;                          // of the batch that inputs and noise are of
};

// Immutable, hence safe to share.
class DagLayer {
 public:
  explicit DagLayer(ValidatedGraph graph) : graph_(std::move(graph)) {}

  const ValidatedGraph& graph() const { return graph_; }
  // The trainable parameters of all processors, named "node/parameter" (upstream's checkpoints:
  // processor_group/node/parameter).
  std::vector<ParameterSpec> parameters() const;

  // Everything that the nodes compute: "node/signal", "node/controls/x", "loss/spectral_loss", "layer/z", and the last
  // node's again below "out". Errors: NOT_FOUND for a graph input that is not given, INVALID_ARGUMENT naming the node.
  absl::StatusOr<NamedTensors> Run(const NamedTensors& inputs, const GroupContext& context = {}) const;

 private:
  const ValidatedGraph graph_;
};

// Fresh values for parameters(), drawn with LibTorch's default generator if none is given.
NamedTensors InitialParameters(const DagLayer& graph, std::optional<at::Generator> generator = std::nullopt);

}  // namespace ddsp
