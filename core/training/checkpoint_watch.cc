#include "core/training/checkpoint_watch.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/training/checkpoint.h"

namespace ddsp::training {

absl::Status WatchCheckpoints(const std::string& directory, const WatchOptions& options,
                              const std::function<absl::Status(const std::string& path)>& visit) {
  std::string visited;
  for (;;) {
    const std::string newest = LatestCheckpoint(directory);
    if (newest > visited) {  // names sort by step
      const absl::Status status = visit(newest);
      const bool deleted = absl::IsNotFound(status) && LatestCheckpoint(directory) != newest;
      if (!status.ok() && !deleted) return status;
      visited = newest;
      if (!deleted && options.watch == Watch::kOnce) return status;
      continue;
    }
    if (options.watch == Watch::kOnce) {
      return absl::NotFoundError(absl::StrCat(directory, ": no checkpoint yet"));
    }
    if (!options.wait()) return absl::OkStatus();
  }
}

}  // namespace ddsp::training
