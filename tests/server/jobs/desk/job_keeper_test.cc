#include "server/jobs/desk/job_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"
#include "server/jobs/desk/metered_job_store.h"
#include "server/jobs/sql_job_store.h"
#include "server/jobs/sqlite_engine.h"
#include "server/metrics/server_metrics.h"
#include "tests/server/jobs/desk/desk_fixture.h"

namespace ddsp::server {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// A store whose database goes away.
class FragileStore : public MeteredJobStore {
 public:
  using MeteredJobStore::MeteredJobStore;
  absl::StatusOr<int64_t> ExpireLeases(int64_t max_jobs) override {
    if (!broken) return MeteredJobStore::ExpireLeases(max_jobs);
    return MakeError(Reason::kJobStoreUnavailable, "the database is away");
  }
  bool broken = false;
};

class JobKeeperTest : public ::testing::Test {
 protected:
  JobKeeperTest() {
    clock_.Advance(absl::Hours(24 * 365 * 50));
    store_ =
        std::make_unique<FragileStore>(*MakeSqlJobStore(*OpenSqlite({.path = directory_.path() + "/jobs"}), clock_,
                                                        {.policy = {.max_failures = 2}, .on_end = CountEnds(metrics_)}),
                                       metrics_);
    blobs_ = *BlobStore::Open({.folder = directory_.path()}, clock_);
    keeper_ = std::make_unique<JobKeeper>(JobKeeper::Options{.blob_quota_bytes = 1000, .log = &log_}, *store_, *blobs_,
                                          metrics_, clock_);
  }
  Job Claimed(const std::string& request_id) {
    EXPECT_TRUE(store_->Create({.request_id = request_id, .kind = "train", .spec = "{}"}).ok());
    return store_->Claim({.worker = "w", .kinds = {"train"}})->at(0);
  }
  std::string Metrics() const { return server_metrics_.Text(); }

  std::string said_;
  Log log_{{}, [this](std::string_view lines) {
             said_ += lines;
             return true;
           }};
  TempDir directory_;
  SimClock clock_;
  ServerMetrics server_metrics_;
  JobMetrics metrics_{server_metrics_.registry()};
  std::unique_ptr<FragileStore> store_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<JobKeeper> keeper_;
};

TEST_F(JobKeeperTest, ASilentWorkerLosesItsJobAfterItsLease) {
  const Job job = Claimed("r");
  clock_.Advance(absl::Seconds(9));
  keeper_->Round();
  EXPECT_EQ(store_->Get(job.id)->state, JobState::kRunning);
  clock_.Advance(absl::Seconds(1));
  keeper_->Round();
  EXPECT_EQ(store_->Get(job.id)->state, JobState::kRetryable);
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_job_lease_expirations_total 1"));
}

// However a job ends, it is counted when it does, and not again.
TEST_F(JobKeeperTest, AJobWhoseLeasesRunOutIsCountedOnceItHasFailed) {
  const Job job = Claimed("r");
  clock_.Advance(absl::Seconds(10));
  keeper_->Round();
  EXPECT_THAT(Metrics(), Not(HasSubstr("ddsp_jobs_finished_total{"))) << "it is to be tried again";
  clock_.Advance(absl::Seconds(10));
  ASSERT_EQ(store_->Claim({.worker = "w", .kinds = {"train"}})->size(), 1u);
  clock_.Advance(absl::Seconds(10));
  for (int i = 0; i < 3; ++i) keeper_->Round();
  EXPECT_EQ(store_->Get(job.id)->state, JobState::kFailed);
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_jobs_finished_total{kind=\"train\",state=\"FAILED\"} 1"));
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_job_lease_expirations_total 2"));
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_job_seconds_sum{kind=\"train\"} 30"));
}

TEST_F(JobKeeperTest, ACancelledJobWhoseWorkerIsGoneIsCountedOnceItsLeaseRunsOut) {
  const Job job = Claimed("r");
  ASSERT_EQ(store_->Apply(job.id, JobCancelled{})->state, JobState::kRunning);
  EXPECT_THAT(Metrics(), Not(HasSubstr("ddsp_jobs_finished_total{")));
  clock_.Advance(absl::Seconds(10));
  keeper_->Round();
  ASSERT_TRUE(store_->Apply(job.id, JobCancelled{}).ok());
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_jobs_finished_total{kind=\"train\",state=\"CANCELLED\"} 1"));
}

TEST_F(JobKeeperTest, OneRoundFreesTheJobsOfManyWorkers) {
  for (int i = 0; i < 250; ++i) Claimed(absl::StrCat("r", i));
  clock_.Advance(absl::Seconds(10));
  keeper_->Round();
  EXPECT_EQ(store_->List({.filter = {.states = {JobState::kRunning}}})->jobs.size(), 0u);
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_job_lease_expirations_total 250"));
}

TEST_F(JobKeeperTest, EveryRoundWakesWhoWaits) {
  std::vector<std::string> heard;
  const auto subscription = store_->changes().Subscribe([&](const std::string& id) { heard.push_back(id); });
  keeper_->Round();
  EXPECT_THAT(heard, Contains(""));
}

TEST_F(JobKeeperTest, StaleUploadsAreGivenUp) {
  ASSERT_TRUE(blobs_->BeginUpload(std::string(64, 'a'), 400).ok());
  keeper_->Round();
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_blob_uploads 1"));
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_blob_bytes 400"));
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_blob_quota_bytes 1000"));
  clock_.Advance(absl::Hours(25));
  keeper_->Round();
  EXPECT_EQ(blobs_->uploads(), 0);
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_blob_bytes 0"));
}

TEST_F(JobKeeperTest, CountsWhatIsNotFinished) {
  const Job job = Claimed("r1");
  ASSERT_TRUE(store_->Create({.request_id = "r2", .kind = "train", .spec = "{}"}).ok());
  keeper_->Round();
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_jobs{kind=\"train\",state=\"RUNNING\"} 1"));
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_jobs{kind=\"train\",state=\"QUEUED\"} 1"));
  ASSERT_TRUE(store_->Apply(job.id, JobCompleted{job.lease_id, "{}"}).ok());
  keeper_->Round();
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_jobs{kind=\"train\",state=\"RUNNING\"} 0"));
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_jobs_finished_total{kind=\"train\",state=\"SUCCEEDED\"} 1"));
}

TEST_F(JobKeeperTest, OldJobsAndTheirBytesAreForgotten) {
  const std::string input = Upload(*blobs_, "sound");
  const std::string spec =
      absl::StrCat("{\"features\":{\"inputs\":[{\"path\":\"a.wav\",\"sha256\":\"", input, "\",\"size\":\"5\"}]}}");
  const Job job = *store_->Create({.request_id = "r", .kind = "features", .spec = spec});
  clock_.Advance(absl::Hours(24 * 30));
  keeper_->Round();
  EXPECT_TRUE(blobs_->SizeOf(input).ok()) << "a job that waits needs it, however long";
  ASSERT_TRUE(store_->Apply(job.id, JobCancelled{}).ok());
  clock_.Advance(absl::Hours(24 * 89));
  keeper_->Round();
  EXPECT_TRUE(store_->Get(job.id).ok());
  clock_.Advance(absl::Hours(24 * 2));
  keeper_->Round();
  EXPECT_EQ(ReasonOf(store_->Get(job.id).status()), "JOB_NOT_FOUND");
  EXPECT_EQ(ReasonOf(blobs_->SizeOf(input).status()), "BLOB_NOT_FOUND");
}

TEST_F(JobKeeperTest, LagGrowsWhileNoRoundEnds) {
  keeper_->Round();
  clock_.Advance(absl::Seconds(1));
  keeper_->ReportLag();
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_job_keeper_lag_seconds 0"));
  clock_.Advance(absl::Seconds(4));
  keeper_->ReportLag();
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_job_keeper_lag_seconds 4"));
}

TEST_F(JobKeeperTest, TroubleIsCountedAndToldOnce) {
  store_->broken = true;
  keeper_->Round();
  keeper_->Round();
  store_->broken = false;
  keeper_->Round();
  log_.Flush();
  EXPECT_EQ(said_, "error: jobs are not kept error=\"the database is away\"\njobs are kept again\n");
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_job_keeper_errors_total 2"));
}

TEST_F(JobKeeperTest, ClaimsAndEndsAreMeteredOnce) {
  ASSERT_TRUE(store_->Create({.request_id = "r", .kind = "train", .spec = "{}"}).ok());
  clock_.Advance(absl::Seconds(20));
  const Job job = store_->Claim({.worker = "w", .kinds = {"train"}})->at(0);
  EXPECT_TRUE(store_->Claim({.worker = "w", .kinds = {"train"}})->empty());
  clock_.Advance(absl::Seconds(7));
  ASSERT_TRUE(store_->Apply(job.id, JobCompleted{job.lease_id, "{}"}).ok());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(store_->Apply(job.id, JobCompleted{job.lease_id, "{}"}).ok()) << "its answer was lost";
    clock_.Advance(absl::Seconds(1));
  }
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_jobs_finished_total{kind=\"train\",state=\"SUCCEEDED\"} 1"));
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_job_claim_seconds_count 2"));
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_job_attempts_total{kind=\"train\"} 1"));
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_job_wait_seconds_sum{kind=\"train\"} 20"));
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_job_seconds_sum{kind=\"train\"} 7"));
  EXPECT_THAT(Metrics(), HasSubstr("ddsp_job_seconds_count{kind=\"train\"} 1"));
}

}  // namespace
}  // namespace ddsp::server
