#include "core/training/distributed/worker_group.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/seed.h"
#include "core/base/status_macros.h"

namespace ddsp::training {

absl::StatusOr<bool> AnyWorker(WorkerGroup& group, bool here) {
  const at::Tensor flag = at::full({1}, here ? 1 : 0, at::kInt);
  RETURN_IF_ERROR(group.Sum(flag));
  return flag.item<int>() > 0;
}

absl::Status CheckSame(WorkerGroup& group, const std::string& what, const std::string& text) {
  const int64_t here = static_cast<int64_t>(DeriveSeed(0, text, 0));
  const at::Tensor hash = at::full({1}, here, at::kLong);
  RETURN_IF_ERROR(group.CopyFromFirst(hash));
  const at::Tensor differs = at::zeros({group.workers()}, at::kInt);
  differs[group.rank()] = hash.item<int64_t>() == here ? 0 : 1;
  RETURN_IF_ERROR(group.Sum(differs));
  if (differs.sum().item<int64_t>() == 0) return absl::OkStatus();
  std::string ranks;
  for (int rank = 0; rank < group.workers(); ++rank) {
    if (differs[rank].item<int>() != 0) absl::StrAppend(&ranks, ranks.empty() ? "" : ", ", rank);
  }
  return absl::FailedPreconditionError(absl::StrCat("workers ", ranks, " have another ", what,
                                                    " than worker 0; here (worker ", group.rank(), "): ", text));
}

}  // namespace ddsp::training
