#include "core/training/distributed/worker_group.h"

namespace ddsp::training {

absl::StatusOr<std::unique_ptr<WorkerGroup>> JoinWorkers(const JoinOptions&) {
  return absl::UnimplementedError("this program's LibTorch has no c10d with Gloo, which several workers need");
}

}  // namespace ddsp::training
