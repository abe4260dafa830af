#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/jobs/job_store.h"
#include "server/metrics/job_metrics.h"

namespace ddsp::server {

// Counts ends of jobs: what JobStoreOptions::on_end is to call. The metrics outlive it.
std::function<void(const Job& job)> CountEnds(JobMetrics& metrics);

// A store whose claims and expired leases are counted.
class MeteredJobStore : public JobStore {
 public:
  // The metrics outlive it.
  MeteredJobStore(std::unique_ptr<JobStore> store, JobMetrics& metrics) : store_(std::move(store)), metrics_(metrics) {}

  absl::StatusOr<Job> Create(const NewJob& job) override { return store_->Create(job); }
  absl::StatusOr<Job> Get(const std::string& id) override { return store_->Get(id); }
  absl::StatusOr<JobPage> List(const JobQuery& query) override { return store_->List(query); }
  absl::StatusOr<std::vector<Job>> Claim(const JobClaim& claim) override;
  absl::StatusOr<Job> Apply(const std::string& id, const JobEvent& event) override { return store_->Apply(id, event); }
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
};

}  // namespace ddsp::server
