// What a node of a graph runs: a processor, a loss or a layer, behind one form.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/graph/graph_spec.h"
#include "core/processors/processor.h"

namespace ddsp {

enum class ModuleKind { kProcessor, kLoss, kLayer };

// Immutable, hence safe to share.
class GraphModule {
 public:
  virtual ~GraphModule() = default;

  const std::vector<Port>& inputs() const { return inputs_; }
  // What Run() returns, below the node's name: "signal", "controls/f0_hz"; "spectral_loss".
  const std::vector<std::string>& results() const { return results_; }
  ModuleKind kind() const { return kind_; }
  // Trainable parameters whose shapes do not depend on the inputs. Those of a layer do, and are not among them.
  virtual std::vector<ParameterSpec> parameters() const { return {}; }
  virtual Randomness randomness() const { return Randomness::kNone; }

  // `inputs` by port; required ones are defined. Errors: INVALID_ARGUMENT.
  virtual absl::StatusOr<NamedTensors> Run(const std::vector<at::Tensor>& inputs,
                                           const ProcessorContext& context) const = 0;

 protected:
  GraphModule(ModuleKind kind, std::vector<Port> inputs, std::vector<std::string> results)
      : kind_(kind), inputs_(std::move(inputs)), results_(std::move(results)) {}

 private:
  const ModuleKind kind_;
  const std::vector<Port> inputs_;
  const std::vector<std::string> results_;
};

// Makes what the node asks for, with upstream's constructor arguments and defaults. Errors: NOT_FOUND for the class,
// INVALID_ARGUMENT listing everything that is wrong with the arguments.
absl::StatusOr<std::unique_ptr<GraphModule>> MakeGraphModule(const GraphNode& node);

}  // namespace ddsp
