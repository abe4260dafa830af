// What has to be done about jobs though nobody asks for it.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "server/blobs/blob_store.h"
#include "server/jobs/job_store.h"
#include "server/metrics/job_metrics.h"

namespace ddsp::server {

class JobKeeper {
 public:
  struct Options {
    // How often somebody calls Round(); only the lag depends on it.
    absl::Duration period = absl::Seconds(1);
    int64_t blob_quota_bytes = 0;  // for the metric
  };
  // What is borrowed outlives the keeper.
  JobKeeper(const Options& options, JobStore& jobs, BlobStore& blobs, JobMetrics& metrics, const Clock& clock);

  // Does what is due: fails the attempts of silent workers, gives up stale uploads, wakes calls that wait, sets gauges.
  // Trouble is told once on stderr and counted; the next round tries again. One call at a time.
  void Round();
  // Sets how late the rounds are; on any thread.
  void ReportLag();

 private:
  absl::Status Keep();
  absl::Status ExpireLeases();

  const Options options_;
  JobStore& jobs_;
  BlobStore& blobs_;
  JobMetrics& metrics_;
  const Clock& clock_;
  std::atomic<int64_t> last_round_us_;
  bool in_trouble_ = false;  // used by Round() alone
};

}  // namespace ddsp::server
