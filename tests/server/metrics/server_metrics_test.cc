#include "server/metrics/server_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "prometheus/text_serializer.h"
#include "server/metrics/job_metrics.h"
#include "server/metrics/metric_table.h"
#include "server/metrics/triton_aliases.h"

namespace ddsp::server {
namespace {

// Touches every metric once.
void UseAll(ServerMetrics& metrics) {
  metrics.ForModel("violin").tick_seconds->Observe(0.001);
  metrics.SessionEnded("violin", "client_close");
  metrics.SessionRejected("violin", "SESSION_SLOTS_EXHAUSTED");
  metrics.ModelLoaded("violin", 1, 0.5);
  metrics.SetModelState("violin", 1, "READY");
  metrics.CallStarted("ddsp.v1.Synthesis/StreamSession");
  metrics.CallEnded("ddsp.v1.Synthesis/StreamSession", "OK", 1.5);
  metrics.CallRefused("TOKEN_INVALID");
  metrics.SetStateBytes(1000);
  metrics.SetDeviceLoad(0.5, 0.6, 0.001);
  metrics.SetDemand(0.85, 0.3);
  metrics.SetMemory(1000, 200, 5000);
  metrics.SetSpans(3, 1);
  metrics.SetLogDrops(2);
  metrics.UpdateProcess();
  JobMetrics jobs(metrics.registry());
  jobs.SetJobs("train", "QUEUED", 3);
  jobs.JobClaimed("train", 2.5);
  jobs.JobFinished("train", "SUCCEEDED");
  jobs.JobTook("train", 600);
  jobs.PublishTook(PublishOutcome::kPublished, 0.4);
}

std::string TypeOf(MetricType type) {
  return type == MetricType::kCounter ? "counter" : type == MetricType::kGauge ? "gauge" : "histogram";
}

TEST(ServerMetrics, ScrapeIsExactlyTheTable) {
  ServerMetrics metrics;
  UseAll(metrics);
  std::set<std::string> scraped, table;
  for (const absl::string_view line : absl::StrSplit(metrics.Text(), '\n')) {
    if (absl::StartsWith(line, "# TYPE ")) scraped.insert(std::string(line.substr(7)));
  }
  for (const MetricRow& row : kMetricTable) table.insert(absl::StrCat(std::string(row.name), " ", TypeOf(row.type)));
  EXPECT_EQ(scraped, table);
}

TEST(ServerMetrics, LabelsAreThoseOfTheTable) {
  ServerMetrics metrics;
  UseAll(metrics);
  for (const auto& family : metrics.registry()->Collect()) {
    for (const auto& metric : family.metric) {
      std::set<std::string> labels, expected;
      for (const auto& label : metric.label) labels.insert(label.name);
      for (const MetricRow& row : kMetricTable) {
        if (row.name != family.name) continue;
        for (const absl::string_view label :
             absl::StrSplit(absl::string_view(row.labels.data(), row.labels.size()), ',', absl::SkipEmpty())) {
          expected.insert(std::string(label));
        }
      }
      EXPECT_EQ(labels, expected) << family.name;
    }
  }
}

// The page for operators is the table.
TEST(ServerMetrics, ThePageNamesEachOfThem) {
  std::ifstream file(DDSP_SOURCE_DIR "/server/metrics/README.md");
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  size_t rows = 0;
  for (const absl::string_view line : absl::StrSplit(page, '\n')) {
    rows += absl::StartsWith(line, "| `ddsp_") || absl::StartsWith(line, "| `grpc_") ||
            absl::StartsWith(line, "| `process_");
  }
  EXPECT_EQ(rows, std::size(kMetricTable));
  for (const MetricRow& row : kMetricTable) {
    EXPECT_THAT(page, ::testing::HasSubstr(absl::StrCat("| `", std::string(row.name), "` | ", TypeOf(row.type), " | ",
                                                        std::string(row.labels), " | ", std::string(row.help), " |")));
  }
}

TEST(ServerMetrics, TotalsAreCountedOnce) {
  ServerMetrics metrics;
  for (int i = 0; i < 3; ++i) metrics.SetSpans(7, 2);
  EXPECT_THAT(metrics.Text(), ::testing::HasSubstr("ddsp_trace_spans_total{outcome=\"sent\"} 7"));
  EXPECT_THAT(metrics.Text(), ::testing::HasSubstr("ddsp_trace_spans_total{outcome=\"dropped\"} 2"));
}

TEST(TritonAliases, HaveOurValues) {
  ServerMetrics metrics;
  ModelMetrics& violin = metrics.ForModel("violin");
  for (int i = 0; i < 4; ++i) violin.block_latency_seconds->Observe(0.25);
  violin.block_queue_seconds->Observe(0.5);
  violin.sessions_active->Set(3);
  metrics.SessionEnded("violin", "error");
  metrics.SessionEnded("violin", "client_close");
  const std::string text = prometheus::TextSerializer().Serialize(AliasesOf(metrics.registry()->Collect()));
  for (const char* line : {"nv_inference_request_success{model=\"violin\",version=\"all\"} 4",
                           "nv_inference_request_duration_us{model=\"violin\",version=\"all\"} 1000000",
                           "nv_inference_queue_duration_us{model=\"violin\",version=\"all\"} 500000",
                           "nv_inference_request_failure{model=\"violin\",version=\"all\"} 1",
                           "nv_inference_pending_request_count{model=\"violin\",version=\"all\"} 3"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(line));
  }
}

TEST(ServerMetrics, ServerStateIsASet) {
  ServerMetrics metrics;
  metrics.SetServerState(ServerState::kDraining);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, ::testing::HasSubstr("ddsp_server_state{state=\"draining\"} 1"));
  EXPECT_THAT(text, ::testing::HasSubstr("ddsp_server_state{state=\"serving\"} 0"));
}

TEST(JobMetrics, CountWhatTheyAreTold) {
  ServerMetrics metrics;
  JobMetrics jobs(metrics.registry());
  jobs.SetJobs("train", "QUEUED", 3);
  jobs.SetJobs("train", "QUEUED", 2);
  jobs.JobClaimed("train", 90);
  jobs.LeasesExpired(4);
  jobs.SetBlobs(10, 100, 1);
  jobs.PublishTook(PublishOutcome::kRejected, 0.4);
  const std::string text = metrics.Text();
  for (const char* line : {"ddsp_jobs{kind=\"train\",state=\"QUEUED\"} 2", "ddsp_job_attempts_total{kind=\"train\"} 1",
                           "ddsp_job_wait_seconds_bucket{kind=\"train\",le=\"60\"} 0",
                           "ddsp_job_wait_seconds_bucket{kind=\"train\",le=\"300\"} 1",
                           "ddsp_job_lease_expirations_total 4", "ddsp_blob_bytes 10", "ddsp_blob_quota_bytes 100",
                           "ddsp_blob_uploads 1", "ddsp_job_publish_seconds_count{outcome=\"rejected\"} 1"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(line));
  }
}

TEST(ServerMetrics, RealtimeFactorIsAudioPerSecond) {
  ServerMetrics metrics;
  ModelMetrics& violin = metrics.ForModel("violin");
  metrics.UpdateRates(absl::UnixEpoch());
  violin.audio_seconds_out->Increment(30);
  metrics.UpdateRates(absl::UnixEpoch() + absl::Seconds(2));
  EXPECT_EQ(violin.realtime_factor->Value(), 15);
}

}  // namespace
}  // namespace ddsp::server
