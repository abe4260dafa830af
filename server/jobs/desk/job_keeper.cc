#include "server/jobs/desk/job_keeper.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include "core/base/status_macros.h"

namespace ddsp::server {
namespace {

constexpr int64_t kLeasesAtOnce = 100;
// A round ends though a thousand workers died at once: calls that wait are woken every second.
constexpr int kMostBatches = 10;

}  // namespace

JobKeeper::JobKeeper(const Options& options, JobStore& jobs, BlobStore& blobs, JobMetrics& metrics, const Clock& clock)
    : options_(options),
      jobs_(jobs),
      blobs_(blobs),
      metrics_(metrics),
      clock_(clock),
      last_round_us_(absl::ToUnixMicros(clock.Now())) {}

void JobKeeper::Round() {
  const absl::Status kept = Keep();
  last_round_us_ = absl::ToUnixMicros(clock_.Now());
  ReportLag();
  if (!kept.ok()) metrics_.KeeperFailed();
  if (kept.ok() == !in_trouble_) return;
  in_trouble_ = !kept.ok();
  std::fprintf(stderr, "jobs: %s\n", kept.ok() ? "well again" : std::string(kept.message()).c_str());
}

void JobKeeper::ReportLag() {
  const absl::Duration since = clock_.Now() - absl::FromUnixMicros(last_round_us_);
  metrics_.SetKeeperLag(std::max(0.0, absl::ToDoubleSeconds(since - options_.period)));
}

absl::Status JobKeeper::Keep() {
  const absl::Status expired = ExpireLeases();
  blobs_.DropStaleUploads();
  metrics_.SetBlobs(static_cast<double>(blobs_.bytes_used()), static_cast<double>(options_.blob_quota_bytes),
                    static_cast<double>(blobs_.uploads()));
  jobs_.changes().Publish("");
  return expired;
}

absl::Status JobKeeper::ExpireLeases() {
  for (int i = 0; i < kMostBatches; ++i) {
    ASSIGN_OR_RETURN(const int64_t expired, jobs_.ExpireLeases(kLeasesAtOnce));
    if (expired < kLeasesAtOnce) break;
  }
  return absl::OkStatus();
}

}  // namespace ddsp::server
