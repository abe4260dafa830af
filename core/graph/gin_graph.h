// Graphs in gin: ProcessorGroup.dag and what it refers to.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/gin/config.h"
#include "core/graph/graph_spec.h"

namespace ddsp {

// Who has the `dag` of a configuration, and in which scope.
struct GinGraphOwner {
  std::string selector;  // "ProcessorGroup", "DAGLayer", "LossGroup"
  std::string scope;
};

// The owner where the text leaves no doubt: ProcessorGroup, else the only other configurable with a dag. Errors:
// NOT_FOUND, INVALID_ARGUMENT listing the candidates.
absl::StatusOr<GinGraphOwner> FindGraph(const gin::Config& config);

// Nodes with the parameters that their scopes give them. A module is a reference, or the name of a parameter of the
// owner that is one. Names and keys are those of upstream. The inputs are what InferInputs() finds.
// Errors: INVALID_ARGUMENT with a line for everything that is wrong and its position in the text: configurables and
// parameters that upstream does not know, values of another type, bindings of functions that the graph would need but
// that are fixed here (exp_sigmoid.exponent).
absl::StatusOr<GraphSpec> GraphFromGin(const gin::Config& config, const GinGraphOwner& owner);
absl::StatusOr<GraphSpec> GraphFromGin(const gin::Config& config);

}  // namespace ddsp
