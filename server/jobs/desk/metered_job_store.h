#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "server/jobs/job_store.h"
#include "server/metrics/job_metrics.h"

namespace ddsp::server {

// A store whose claims and ends of jobs are counted.
class MeteredJobStore : public JobStore {
 public:
  // `clock` is the store's; what is borrowed outlives it.
  MeteredJobStore(std::unique_ptr<JobStore> store, JobMetrics& metrics, const Clock& clock)
      : store_(std::move(store)), metrics_(metrics), clock_(clock) {}

  absl::StatusOr<Job> Create(const NewJob& job) override { return store_->Create(job); }
  absl::StatusOr<Job> Get(const std::string& id) override { return store_->Get(id); }
  absl::StatusOr<JobPage> List(const JobQuery& query) override { return store_->List(query); }
  absl::StatusOr<std::vector<Job>> Claim(const JobClaim& claim) override;
  absl::StatusOr<Job> Apply(const std::string& id, const JobEvent& event) override;
  absl::StatusOr<int64_t> ExpireLeases(int64_t max_jobs) override;
  absl::StatusOr<JobHeard> Heartbeat(const std::string& id, const JobHeartbeat& heartbeat,
                                     const std::vector<std::string>& log_lines) override {
    return store_->Heartbeat(id, heartbeat, log_lines);
  }
  absl::StatusOr<std::vector<JobLogLine>> ReadLog(const std::string& id, int64_t after, int64_t max_lines) override {
    return store_->ReadLog(id, after, max_lines);
  }
  absl::StatusOr<int64_t> PruneFinished(const JobRetention& retention, int64_t max_jobs) override {
    return store_->PruneFinished(retention, max_jobs);
  }
  absl::StatusOr<std::vector<std::string>> NeededBlobs(const std::vector<std::string>& blobs) override {
    return store_->NeededBlobs(blobs);
  }
  absl::StatusOr<std::vector<JobCount>> Count() override { return store_->Count(); }
  ChangeHub& changes() override { return store_->changes(); }

 private:
  const std::unique_ptr<JobStore> store_;
  JobMetrics& metrics_;
  const Clock& clock_;
};

}  // namespace ddsp::server
