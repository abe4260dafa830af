#include "server/jobs/desk/job_keeper.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/base/status_macros.h"
#include "server/jobs/api/garbage.h"

namespace ddsp::server {
namespace {

constexpr int64_t kLeasesAtOnce = 100;
// A round ends though a thousand workers died at once: calls that wait are woken every second.
constexpr int kMostBatches = 10;
constexpr int64_t kPrunedAtOnce = 1000;

}  // namespace

JobKeeper::JobKeeper(const Options& options, JobStore& jobs, BlobStore& blobs, JobMetrics& metrics, const Clock& clock)
    : options_(options),
      jobs_(jobs),
      blobs_(blobs),
      metrics_(metrics),
      clock_(clock),
      last_round_us_(absl::ToUnixMicros(clock.Now())),
      last_sweep_(clock.Now()) {}

void JobKeeper::Round() {
  const absl::Status kept = Keep();
  last_round_us_ = absl::ToUnixMicros(clock_.Now());
  ReportLag();
  if (!kept.ok()) metrics_.KeeperFailed();
  if (kept.ok() == !in_trouble_) return;
  in_trouble_ = !kept.ok();
  if (options_.log == nullptr) return;
  if (kept.ok()) {
    options_.log->Write(LogLevel::kInfo, "jobs.well_again", "jobs are kept again");
  } else {
    options_.log->Write(LogLevel::kError, "jobs.trouble", "jobs are not kept", {{"error", std::string(kept.message())}});
  }
}

void JobKeeper::ReportLag() {
  const absl::Duration since = clock_.Now() - absl::FromUnixMicros(last_round_us_);
  metrics_.SetKeeperLag(std::max(0.0, absl::ToDoubleSeconds(since - options_.period)));
}

absl::Status JobKeeper::Keep() {
  absl::Status kept = ExpireLeases();
  kept.Update(CountJobs());
  if (clock_.Now() - last_sweep_ >= options_.sweep_period) {
    last_sweep_ = clock_.Now();
    kept.Update(Sweep());
  }
  metrics_.SetBlobs(static_cast<double>(blobs_.bytes_used()), static_cast<double>(options_.blob_quota_bytes),
                    static_cast<double>(blobs_.uploads()));
  jobs_.changes().Publish("");
  return kept;
}

absl::Status JobKeeper::ExpireLeases() {
  for (int i = 0; i < kMostBatches; ++i) {
    ASSIGN_OR_RETURN(const int64_t expired, jobs_.ExpireLeases(kLeasesAtOnce));
    if (expired < kLeasesAtOnce) break;
  }
  return absl::OkStatus();
}

absl::Status JobKeeper::CountJobs() {
  ASSIGN_OR_RETURN(const std::vector<JobCount> counts, jobs_.Count());
  std::map<std::pair<std::string, JobState>, int64_t> jobs;
  for (const auto& known : counted_) jobs[known] = 0;
  for (const JobCount& count : counts) jobs[{count.kind, count.state}] = count.jobs;
  for (const auto& [kind_and_state, number] : jobs) {
    counted_.insert(kind_and_state);
    metrics_.SetJobs(kind_and_state.first, NameOf(kind_and_state.second), static_cast<double>(number));
  }
  return absl::OkStatus();
}

absl::Status JobKeeper::Sweep() {
  blobs_.DropStaleUploads();
  RETURN_IF_ERROR(jobs_.PruneFinished(options_.retention, kPrunedAtOnce).status());
  return CollectGarbage(jobs_, blobs_).status();
}

}  // namespace ddsp::server
