// A graph whose last node makes audio (upstream: processors.py, ProcessorGroup).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/graph/dag_layer.h"

namespace ddsp {

// Immutable, hence safe to share. Run() is upstream's get_controls.
class ProcessorGroup : public DagLayer {
 public:
  explicit ProcessorGroup(ValidatedGraph graph) : DagLayer(std::move(graph)) {}

  // "out/signal" alone. Upstream: __call__. Errors: as for Run(), and NOT_FOUND if the last node is no processor.
  absl::StatusOr<at::Tensor> GetSignal(const NamedTensors& inputs, const GroupContext& context = {}) const;
};

}  // namespace ddsp
