#include "server/metrics/job_metrics.h"

#include <utility>

#include "core/base/check.h"
#include "server/metrics/metric_table.h"

namespace ddsp::server {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

const Buckets& ClaimBuckets() {
  static const Buckets buckets = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5};
  return buckets;
}

// From a file's features to a training of a day.
const Buckets& JobBuckets() {
  static const Buckets buckets = {1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 43200, 86400};
  return buckets;
}

const Buckets& PublishBuckets() {
  static const Buckets buckets = {0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60};
  return buckets;
}

std::string HelpOf(std::string_view name) {
  for (const MetricRow& row : kMetricTable) {
    if (row.name == name) return std::string(row.help);
  }
  DDSP_CHECK(false, "every metric is in the table");
  return "";
}

// The family that is there already, where there is one.
template <typename Builder>
auto FamilyOf(Builder builder, const std::string& name, prometheus::Registry& registry) {
  return &builder.Name(name).Help(HelpOf(name)).Register(registry);
}
auto Counters(const std::string& name, prometheus::Registry& registry) {
  return FamilyOf(prometheus::BuildCounter(), name, registry);
}
auto Gauges(const std::string& name, prometheus::Registry& registry) {
  return FamilyOf(prometheus::BuildGauge(), name, registry);
}
auto Histograms(const std::string& name, prometheus::Registry& registry) {
  return FamilyOf(prometheus::BuildHistogram(), name, registry);
}

std::string NameOf(PublishOutcome outcome) {
  switch (outcome) {
    case PublishOutcome::kPublished:
      return "published";
    case PublishOutcome::kRejected:
      return "rejected";
    case PublishOutcome::kFailed:
      return "failed";
  }
  return "";
}

}  // namespace

JobMetrics::JobMetrics(std::shared_ptr<prometheus::Registry> registry)
    : registry_(std::move(registry)),
      jobs_(Gauges("ddsp_jobs", *registry_)),
      attempts_(Counters("ddsp_job_attempts_total", *registry_)),
      finished_(Counters("ddsp_jobs_finished_total", *registry_)),
      job_seconds_(Histograms("ddsp_job_seconds", *registry_)),
      wait_seconds_(Histograms("ddsp_job_wait_seconds", *registry_)),
      publish_seconds_(Histograms("ddsp_job_publish_seconds", *registry_)),
      claim_seconds_(&Histograms("ddsp_job_claim_seconds", *registry_)->Add({}, ClaimBuckets())),
      lease_expirations_(&Counters("ddsp_job_lease_expirations_total", *registry_)->Add({})),
      keeper_errors_(&Counters("ddsp_job_keeper_errors_total", *registry_)->Add({})),
      blob_bytes_(&Gauges("ddsp_blob_bytes", *registry_)->Add({})),
      blob_quota_bytes_(&Gauges("ddsp_blob_quota_bytes", *registry_)->Add({})),
      blob_uploads_(&Gauges("ddsp_blob_uploads", *registry_)->Add({})),
      keeper_lag_(&Gauges("ddsp_job_keeper_lag_seconds", *registry_)->Add({})) {}

void JobMetrics::SetJobs(std::string_view kind, std::string_view state, double jobs) {
  jobs_->Add({{"kind", std::string(kind)}, {"state", std::string(state)}}).Set(jobs);
}

void JobMetrics::JobClaimed(const std::string& kind, double waited_seconds) {
  attempts_->Add({{"kind", kind}}).Increment();
  wait_seconds_->Add({{"kind", kind}}, JobBuckets()).Observe(waited_seconds);
}

void JobMetrics::JobFinished(const std::string& kind, std::string_view state) {
  finished_->Add({{"kind", kind}, {"state", std::string(state)}}).Increment();
}

void JobMetrics::JobTook(const std::string& kind, double seconds) {
  job_seconds_->Add({{"kind", kind}}, JobBuckets()).Observe(seconds);
}

void JobMetrics::SetBlobs(double bytes, double quota_bytes, double uploads) {
  blob_bytes_->Set(bytes);
  blob_quota_bytes_->Set(quota_bytes);
  blob_uploads_->Set(uploads);
}

void JobMetrics::PublishTook(PublishOutcome outcome, double seconds) {
  publish_seconds_->Add({{"outcome", NameOf(outcome)}}, PublishBuckets()).Observe(seconds);
}

}  // namespace ddsp::server
