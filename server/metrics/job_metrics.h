// What the server tells of jobs, by the names of metric_table.h. Thread-safe.
//
// Labels come from closed sets: kinds and states of jobs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace ddsp::server {

// What became of a trained voice.
enum class PublishOutcome { kPublished, kRejected, kFailed };

class JobMetrics {
 public:
  // In the registry of ServerMetrics.
  explicit JobMetrics(std::shared_ptr<prometheus::Registry> registry);

  // Jobs that are in a state now.
  void SetJobs(std::string_view kind, std::string_view state, double jobs);
  // An answer to a worker that asked for jobs, whether or not there were any.
  void ClaimTook(double seconds) { claim_seconds_->Observe(seconds); }
  // A job began `waited_seconds` after it could have.
  void JobClaimed(const std::string& kind, double waited_seconds);
  // It has ended, whoever did it.
  void JobFinished(const std::string& kind, std::string_view state);
  // From the first claim to the end.
  void JobTook(const std::string& kind, double seconds);
  void LeasesExpired(double leases) { lease_expirations_->Increment(leases); }

  void SetBlobs(double bytes, double quota_bytes, double uploads);
  // How late the keeper's round is.
  void SetKeeperLag(double seconds) { keeper_lag_->Set(seconds); }
  void KeeperFailed() { keeper_errors_->Increment(); }
  void PublishTook(PublishOutcome outcome, double seconds);

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Gauge>* const jobs_;
  prometheus::Family<prometheus::Counter>* const attempts_;
  prometheus::Family<prometheus::Counter>* const finished_;
  prometheus::Family<prometheus::Histogram>* const job_seconds_;
  prometheus::Family<prometheus::Histogram>* const wait_seconds_;
  prometheus::Family<prometheus::Histogram>* const publish_seconds_;
  prometheus::Histogram* const claim_seconds_;
  prometheus::Counter* const lease_expirations_;
  prometheus::Counter* const keeper_errors_;
  prometheus::Gauge* const blob_bytes_;
  prometheus::Gauge* const blob_quota_bytes_;
  prometheus::Gauge* const blob_uploads_;
  prometheus::Gauge* const keeper_lag_;
};

}  // namespace ddsp::server
