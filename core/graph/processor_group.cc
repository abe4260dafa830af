#include "core/graph/processor_group.h"

#include "core/base/status_macros.h"

namespace ddsp {

absl::StatusOr<at::Tensor> ProcessorGroup::GetSignal(const NamedTensors& inputs, const GroupContext& context) const {
  ASSIGN_OR_RETURN(const NamedTensors results, Run(inputs, context));
  return Lookup(results, "out/signal");
}

}  // namespace ddsp
