// Another process's training, seen through its checkpoints (upstream: evaluate and sample of eval_util).
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"

namespace ddsp::training {

enum class Watch { kOnce, kUntilStopped };

struct WatchOptions {
  Watch watch = Watch::kUntilStopped;
  // Called when nothing is new: waits, and says whether to look again.
  std::function<bool()> wait;
};

// Calls `visit` with the newest checkpoint in `directory`, then with each newest one that is newer than it. A
// checkpoint may be deleted while it is visited: NOT_FOUND of `visit` is then no error. Errors: NOT_FOUND when there is
// none at all (kOnce); those of `visit`.
absl::Status WatchCheckpoints(const std::string& directory, const WatchOptions& options,
                              const std::function<absl::Status(const std::string& path)>& visit);

}  // namespace ddsp::training
