#include "server/jobs/api/garbage.h"

#include <set>
#include <string>
#include <vector>

#include "core/base/status_macros.h"

namespace ddsp::server {

absl::StatusOr<GarbageCollected> CollectGarbage(JobStore& jobs, BlobStore& blobs, const BlobGrace& grace) {
  const std::vector<std::string> idle = blobs.Idle(grace);
  ASSIGN_OR_RETURN(const std::vector<std::string> found, jobs.NeededBlobs(idle));
  const std::set<std::string> needed(found.begin(), found.end());
  GarbageCollected collected;
  absl::Status problem;
  for (const std::string& sha256 : idle) {
    if (needed.contains(sha256)) {
      // Asked about again only after another grace.
      (void)blobs.Touch(sha256);
      continue;
    }
    // Not where somebody has asked for it since: a job may be about to name it.
    const absl::StatusOr<int64_t> bytes = blobs.RemoveIdle(sha256, grace);
    problem.Update(bytes.status());
    if (!bytes.ok() || *bytes == 0) continue;
    ++collected.blobs;
    collected.bytes += *bytes;
  }
  if (!problem.ok()) return problem;
  return collected;
}

}  // namespace ddsp::server
