// What has to be done about jobs though nobody asks for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "server/blobs/blob_store.h"
#include "server/jobs/job_store.h"
#include "server/logs/log.h"
#include "server/metrics/job_metrics.h"

namespace ddsp::server {

class JobKeeper {
 public:
  struct Options {
    // How often somebody calls Round(); only the lag depends on it.
    absl::Duration period = absl::Seconds(1);
    int64_t blob_quota_bytes = 0;  // for the metric
    JobRetention retention;
    // Finished jobs and unneeded blobs are looked for so often.
    absl::Duration sweep_period = absl::Minutes(1);
    Log* log = nullptr;  // null: nothing is said
  };
  // What is borrowed outlives the keeper.
  JobKeeper(const Options& options, JobStore& jobs, BlobStore& blobs, JobMetrics& metrics, const Clock& clock);

  // Does what is due: fails the attempts of silent workers, forgets old jobs, stale uploads and bytes that nobody
  // needs, wakes calls that wait, sets gauges. Trouble is told once and counted; the next round tries again.
  // One call at a time.
  void Round();
  // Sets how late the rounds are; on any thread.
  void ReportLag();

 private:
  absl::Status Keep();
  absl::Status ExpireLeases();
  absl::Status CountJobs();
  absl::Status Sweep();

  const Options options_;
  JobStore& jobs_;
  BlobStore& blobs_;
  JobMetrics& metrics_;
  const Clock& clock_;
  std::atomic<int64_t> last_round_us_;
  // Used by Round() alone.
  absl::Time last_sweep_;
  std::set<std::pair<std::string, JobState>> counted_;  // kinds and states that the gauges know
  bool in_trouble_ = false;
};

}  // namespace ddsp::server
