#include "server/jobs/api/jobs_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <limits>

#include "core/base/crc32c.h"
#include "core/base/sha256.h"
#include "google/protobuf/util/message_differencer.h"
#include "server/errors/errors.h"
#include "server/jobs/api/garbage.h"
#include "server/jobs/sql_job_store.h"
#include "server/jobs/sqlite_engine.h"

namespace ddsp::server {
namespace {

namespace fs = std::filesystem;
using google::protobuf::util::MessageDifferencer;
using testing::HasSubstr;

class JobsApiTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / "ddsp_api_XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    clock_.Advance(absl::Hours(24 * 365 * 50));
    store_ = *MakeSqlJobStore(*OpenSqlite({.path = folder_ + "/jobs"}), clock_, {});
    blob_store_ = *BlobStore::Open({.folder = folder_}, clock_);
    jobs_.emplace(*store_, *blob_store_);
    workers_.emplace(*store_, *blob_store_, JobPolicy{});
    blobs_.emplace(*blob_store_);
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(folder_);
  }

  std::string Upload(const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    v1::BeginUploadRequest begin;
    begin.set_sha256(sha256);
    begin.set_size(static_cast<int64_t>(bytes.size()));
    v1::UploadStatus status;
    EXPECT_EQ(blobs_->BeginUpload(begin, &status), absl::OkStatus());
    if (status.complete()) return sha256;
    v1::UploadChunkRequest chunk;
    chunk.set_sha256(sha256);
    chunk.set_offset(status.offset());
    chunk.set_data(bytes);
    chunk.set_crc32c(Crc32c(bytes));
    EXPECT_EQ(blobs_->UploadChunk(chunk, &status), absl::OkStatus());
    EXPECT_TRUE(status.complete());
    return sha256;
  }
  v1::CreateJobRequest TrainRequest() {
    v1::CreateJobRequest request;
    request.set_request_id("r1");
    request.set_display_name("my cello");
    v1::TrainSpec* const train = request.mutable_spec()->mutable_train();
    train->set_recipe("vst");
    train->set_model("my-cello");
    train->add_overrides("train.batch_size = 8");
    train->set_seed(std::numeric_limits<uint64_t>::max());
    AddFile(train->add_data(), "bow/one.wav", "sound");
    return request;
  }
  static void AddFile(v1::JobFile* file, const std::string& path, const std::string& bytes) {
    file->set_path(path);
    file->set_sha256(Sha256Hex(bytes));
    file->set_size(static_cast<int64_t>(bytes.size()));
  }
  v1::Job Create() {
    Upload("sound");
    v1::Job job;
    EXPECT_EQ(jobs_->Create(TrainRequest(), &job), absl::OkStatus());
    return job;
  }
  v1::LeasedJob Claim() {
    v1::ClaimJobsRequest request;
    request.set_worker("host:1");
    request.add_kinds("train");
    v1::ClaimJobsResponse response;
    EXPECT_EQ(workers_->Claim(request, &response), absl::OkStatus());
    return response.jobs_size() == 1 ? response.jobs(0) : v1::LeasedJob();
  }
  v1::Job Get(const std::string& name) {
    v1::GetJobRequest request;
    request.set_name(name);
    v1::Job job;
    EXPECT_EQ(jobs_->Get(request, &job), absl::OkStatus());
    return job;
  }

  std::string folder_;
  SimClock clock_;
  std::unique_ptr<JobStore> store_;
  std::unique_ptr<BlobStore> blob_store_;
  std::optional<JobsApi> jobs_;
  std::optional<WorkersApi> workers_;
  std::optional<BlobsApi> blobs_;
};

TEST_F(JobsApiTest, AJobSaysWhatItWasAskedFor) {
  const v1::Job job = Create();
  EXPECT_THAT(job.name(), testing::StartsWith("jobs/train-"));
  EXPECT_EQ(job.state(), v1::JOB_STATE_QUEUED);
  EXPECT_FALSE(job.done());
  EXPECT_TRUE(MessageDifferencer::Equals(job.spec(), TrainRequest().spec()));
  EXPECT_EQ(job.create_time().seconds(), absl::ToUnixSeconds(clock_.Now()));
  EXPECT_TRUE(MessageDifferencer::Equals(Create(), job)) << "the same request";
}

TEST_F(JobsApiTest, RefusesAJobWhoseFilesAreNotHere) {
  v1::Job job;
  const absl::Status error = jobs_->Create(TrainRequest(), &job);
  EXPECT_EQ(ReasonOf(error), "BLOB_NOT_FOUND");
  EXPECT_THAT(std::string(error.message()), HasSubstr("'bow/one.wav'"));
  Upload("sound");
  v1::CreateJobRequest request = TrainRequest();
  request.mutable_spec()->mutable_train()->mutable_data(0)->set_size(6);
  EXPECT_EQ(ReasonOf(jobs_->Create(request, &job)), "INVALID_JOB_REQUEST");
  request = TrainRequest();
  request.mutable_run_time()->set_nanos(-1);
  EXPECT_EQ(ReasonOf(jobs_->Create(request, &job)), "INVALID_JOB_REQUEST");
}

TEST_F(JobsApiTest, AWorkerDoesAJob) {
  const std::string name = Create().name();
  const v1::LeasedJob leased = Claim();
  EXPECT_EQ(leased.job().name(), name);
  EXPECT_EQ(leased.lease().duration().seconds(), 10);
  EXPECT_EQ(leased.lease().heartbeat().seconds(), 2);

  clock_.Advance(absl::Seconds(2));
  v1::HeartbeatRequest beat;
  beat.set_name(name);
  beat.set_lease_id(leased.lease().id());
  beat.mutable_progress()->set_done(100);
  beat.mutable_progress()->set_total(1000);
  (*beat.mutable_progress()->mutable_metrics())["loss"] = 4.25;
  beat.add_log_lines("step 100");
  v1::HeartbeatResponse answer;
  ASSERT_EQ(workers_->Heartbeat(beat, &answer), absl::OkStatus());
  EXPECT_FALSE(answer.cancel_requested());
  const v1::Job running = Get(name);
  EXPECT_EQ(running.progress().metrics().at("loss"), 4.25);
  EXPECT_EQ(running.progress().time_left().seconds(), 18);

  v1::ListLogLinesRequest log;
  log.set_name(name);
  v1::ListLogLinesResponse lines;
  ASSERT_EQ(jobs_->ListLogLines(log, &lines), absl::OkStatus());
  ASSERT_EQ(lines.lines_size(), 1);
  EXPECT_EQ(lines.lines(0).text(), "step 100");

  v1::CompleteJobRequest complete;
  complete.set_name(name);
  complete.set_lease_id(leased.lease().id());
  complete.mutable_result()->set_model("my-cello/1");
  for (const char* metric : {"z", "a", "m"}) (*complete.mutable_result()->mutable_metrics())[metric] = 0.5;
  v1::Job done;
  ASSERT_EQ(workers_->Complete(complete, &done), absl::OkStatus());
  EXPECT_TRUE(done.done());
  EXPECT_TRUE(MessageDifferencer::Equals(done.result(), complete.result()));
  EXPECT_EQ(workers_->Complete(complete, &done), absl::OkStatus()) << "its answer was lost";
}

TEST_F(JobsApiTest, ACheckpointIsUploadedBeforeItIsNamed) {
  const std::string name = Create().name();
  v1::HeartbeatRequest beat;
  beat.set_name(name);
  beat.set_lease_id(Claim().lease().id());
  beat.mutable_checkpoint()->set_step(7);
  beat.mutable_checkpoint()->set_sha256(Sha256Hex("weights"));
  v1::HeartbeatResponse answer;
  EXPECT_EQ(ReasonOf(workers_->Heartbeat(beat, &answer)), "BLOB_NOT_FOUND");
  Upload("weights");
  EXPECT_EQ(workers_->Heartbeat(beat, &answer), absl::OkStatus());
  EXPECT_EQ(Get(name).checkpoint().step(), 7);
}

TEST_F(JobsApiTest, ListeningExamplesAreUploadedBeforeTheyAreNamedAndStay) {
  const std::string name = Create().name();
  v1::HeartbeatRequest beat;
  beat.set_name(name);
  beat.set_lease_id(Claim().lease().id());
  AddFile(beat.mutable_progress()->add_examples(), "step-100/one.wav", "example");
  v1::HeartbeatResponse answer;
  const absl::Status absent = workers_->Heartbeat(beat, &answer);
  EXPECT_EQ(ReasonOf(absent), "BLOB_NOT_FOUND");
  EXPECT_THAT(std::string(absent.message()), HasSubstr("'step-100/one.wav'"));
  Upload("example");
  ASSERT_EQ(workers_->Heartbeat(beat, &answer), absl::OkStatus());
  const v1::JobFile example = beat.progress().examples(0);
  beat.mutable_progress()->clear_examples();
  beat.mutable_progress()->set_done(200);
  ASSERT_EQ(workers_->Heartbeat(beat, &answer), absl::OkStatus());
  const v1::JobProgress progress = Get(name).progress();
  EXPECT_EQ(progress.done(), 200);
  ASSERT_EQ(progress.examples_size(), 1);
  EXPECT_TRUE(MessageDifferencer::Equals(progress.examples(0), example));
}

TEST_F(JobsApiTest, RefusesExamplesThatCannotBe) {
  v1::HeartbeatRequest beat;
  beat.set_name(Create().name());
  beat.set_lease_id(Claim().lease().id());
  Upload("x");
  AddFile(beat.mutable_progress()->add_examples(), "../one.wav", "x");
  v1::HeartbeatResponse answer;
  EXPECT_THAT(std::string(workers_->Heartbeat(beat, &answer).message()), HasSubstr("progress.examples[0].path"));
  beat.mutable_progress()->clear_examples();
  for (int i = 0; i < 17; ++i) AddFile(beat.mutable_progress()->add_examples(), std::to_string(i), "x");
  EXPECT_THAT(std::string(workers_->Heartbeat(beat, &answer).message()), HasSubstr("17 files; at most 16"));
  beat.mutable_progress()->mutable_examples()->RemoveLast();
  EXPECT_EQ(workers_->Heartbeat(beat, &answer), absl::OkStatus());
}

class GarbageTest : public JobsApiTest {
 protected:
  bool IsHere(const std::string& bytes) { return blob_store_->SizeOf(Sha256Hex(bytes)).ok(); }
  int64_t Collect() {
    const auto collected = CollectGarbage(*store_, *blob_store_);
    EXPECT_TRUE(collected.ok()) << collected.status();
    return collected->blobs;
  }
};

TEST_F(GarbageTest, WhatAJobNeedsStaysAndTheRestGoes) {
  Create();
  Upload("stranger");
  clock_.Advance(absl::Hours(23));
  Upload("new");
  EXPECT_EQ(Collect(), 0);
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Collect(), 1);
  EXPECT_FALSE(IsHere("stranger"));
  EXPECT_TRUE(IsHere("new"));
  EXPECT_TRUE(IsHere("sound"));
}

// Who uploads what is here is told so, and names it a little later.
TEST_F(GarbageTest, AnUploadIsSafeUntilItsJobNamesIt) {
  Upload("sound");
  clock_.Advance(absl::Hours(24));
  Upload("sound");
  EXPECT_EQ(Collect(), 0);
  Create();
  clock_.Advance(absl::Hours(100));
  EXPECT_EQ(Collect(), 0);
}

TEST_F(GarbageTest, OfARunningJobsCheckpointsTheNewestStays) {
  const std::string name = Create().name();
  v1::HeartbeatRequest beat;
  beat.set_name(name);
  beat.set_lease_id(Claim().lease().id());
  for (int step = 1; step <= 10; ++step) {
    const std::string weights = "weights " + std::to_string(step);
    Upload(weights);
    beat.mutable_checkpoint()->set_step(step);
    beat.mutable_checkpoint()->set_sha256(Sha256Hex(weights));
    v1::HeartbeatResponse answer;
    clock_.Advance(absl::Seconds(9));
    ASSERT_EQ(workers_->Heartbeat(beat, &answer), absl::OkStatus());
    Collect();
  }
  EXPECT_FALSE(IsHere("weights 2"));
  EXPECT_TRUE(IsHere("weights 9")) << "its grace is not over";
  clock_.Advance(absl::Seconds(60));
  Collect();
  EXPECT_FALSE(IsHere("weights 9"));
  EXPECT_TRUE(IsHere("weights 10"));
}

// A batch over many files takes days; its first outputs are needed at its end.
TEST_F(GarbageTest, OutputsStayUntilTheirJobCanNameThemInItsResult) {
  v1::HeartbeatRequest beat;
  beat.set_name(Create().name());
  beat.set_lease_id(Claim().lease().id());
  v1::CompleteJobRequest complete;
  complete.set_name(beat.name());
  complete.set_lease_id(beat.lease_id());
  v1::HeartbeatResponse answer;
  for (int hour = 0; hour < 60; hour += 20) {
    const std::string bytes = "output " + std::to_string(hour);
    beat.clear_outputs();
    beat.add_outputs(Upload(bytes));
    AddFile(complete.mutable_result()->add_files(), bytes, bytes);
    ASSERT_EQ(workers_->Heartbeat(beat, &answer), absl::OkStatus());
    clock_.Advance(absl::Hours(20));
    Collect();
  }
  beat.set_outputs(0, std::string(64, 'a'));
  EXPECT_EQ(ReasonOf(workers_->Heartbeat(beat, &answer)), "BLOB_NOT_FOUND");
  v1::Job job;
  EXPECT_EQ(workers_->Complete(complete, &job), absl::OkStatus());
  clock_.Advance(absl::Hours(100));
  Collect();
  EXPECT_TRUE(IsHere("output 0"));
}

TEST_F(GarbageTest, AForgottenJobsFilesGo) {
  const std::string id = Create().name().substr(5);
  ASSERT_TRUE(store_->Apply(id, JobCancelled{}).ok());
  clock_.Advance(absl::Hours(24));
  EXPECT_EQ(Collect(), 0);
  ASSERT_EQ(*store_->PruneFinished({.max_age = absl::Hours(1)}, 10), 1);
  clock_.Advance(absl::Hours(24));
  EXPECT_EQ(Collect(), 1);
  EXPECT_FALSE(IsHere("sound"));
}

TEST_F(JobsApiTest, ACheckRefusesSpecs) {
  jobs_.emplace(*store_, *blob_store_, [](const v1::JobSpec& spec) {
    return spec.train().model() == "violin" ? absl::InvalidArgumentError("violin is taken") : absl::OkStatus();
  });
  Create();
  v1::CreateJobRequest request = TrainRequest();
  request.set_request_id("r2");
  request.mutable_spec()->mutable_train()->set_model("violin");
  v1::Job job;
  EXPECT_EQ(jobs_->Create(request, &job), absl::InvalidArgumentError("violin is taken"));
}

// Publishes in no time, or says why not; counts how often it was asked.
class FakePublisher : public ResultPublisher {
 public:
  absl::StatusOr<v1::JobResult> Publish(const Job&, const v1::JobResult& result, const RenewLease& renew) override {
    ++calls;
    before();
    if (const absl::Status held = renew(); !held.ok()) return held;
    if (!answer.ok()) return answer;
    v1::JobResult published = result;
    published.set_model("my-cello/1");
    return published;
  }
  int calls = 0;
  std::function<void()> before = [] {};
  absl::Status answer;
};

class PublishingTest : public JobsApiTest {
 protected:
  void SetUp() override {
    JobsApiTest::SetUp();
    workers_.emplace(*store_, *blob_store_, JobPolicy{}, &publisher_);
    request_.set_name(Create().name());
    request_.set_lease_id(Claim().lease().id());
    Upload("weights");
    AddFile(request_.mutable_result()->add_files(), "voice/weights.safetensors", "weights");
  }
  FakePublisher publisher_;
  v1::CompleteJobRequest request_;
  v1::Job job_;
};

TEST_F(PublishingTest, ATrainJobSucceedsWithItsPublishedVoiceOnce) {
  ASSERT_EQ(workers_->Complete(request_, &job_), absl::OkStatus());
  EXPECT_EQ(job_.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(job_.result().model(), "my-cello/1");
  EXPECT_EQ(job_.result().files(0).path(), "voice/weights.safetensors");
  v1::Job again;
  EXPECT_EQ(workers_->Complete(request_, &again), absl::OkStatus()) << "its answer was lost";
  EXPECT_TRUE(MessageDifferencer::Equals(again, job_));
  EXPECT_EQ(publisher_.calls, 1);
}

TEST_F(PublishingTest, AVoiceThatIsUnfitFailsItsJobForGood) {
  publisher_.answer = absl::FailedPreconditionError("golden test: 0.3 off at sample 7");
  ASSERT_EQ(workers_->Complete(request_, &job_), absl::OkStatus());
  EXPECT_EQ(job_.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(job_.error(), "golden test: 0.3 off at sample 7");
  ASSERT_EQ(workers_->Complete(request_, &job_), absl::OkStatus());
  EXPECT_EQ(job_.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(publisher_.calls, 1);
}

TEST_F(PublishingTest, APassingErrorLeavesTheJobToItsWorker) {
  publisher_.answer = absl::UnavailableError("the disk is busy");
  EXPECT_EQ(workers_->Complete(request_, &job_), publisher_.answer);
  EXPECT_EQ(Get(request_.name()).state(), v1::JOB_STATE_RUNNING);
  publisher_.answer = absl::OkStatus();
  ASSERT_EQ(workers_->Complete(request_, &job_), absl::OkStatus());
  EXPECT_EQ(job_.state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(PublishingTest, ALostLeasePublishesNothing) {
  clock_.Advance(absl::Seconds(11));
  ASSERT_EQ(*store_->ExpireLeases(), 1);
  EXPECT_EQ(ReasonOf(workers_->Complete(request_, &job_)), "LEASE_LOST");
  EXPECT_EQ(publisher_.calls, 0);
}

TEST_F(PublishingTest, ALeaseLostMeanwhilePublishesNothing) {
  publisher_.before = [&] {
    clock_.Advance(absl::Seconds(11));
    EXPECT_EQ(*store_->ExpireLeases(), 1);
  };
  EXPECT_EQ(ReasonOf(workers_->Complete(request_, &job_)), "LEASE_LOST");
  EXPECT_EQ(Get(request_.name()).state(), v1::JOB_STATE_RETRYABLE);
}

TEST_F(PublishingTest, ACancelledJobIsNotPublished) {
  v1::CancelJobRequest cancel;
  cancel.set_name(request_.name());
  ASSERT_EQ(jobs_->Cancel(cancel, &job_), absl::OkStatus());
  ASSERT_EQ(workers_->Complete(request_, &job_), absl::OkStatus());
  EXPECT_EQ(job_.state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(publisher_.calls, 0);
}

TEST_F(JobsApiTest, ACancellationStopsAWorker) {
  const std::string name = Create().name();
  const std::string lease = Claim().lease().id();
  v1::CancelJobRequest cancel;
  cancel.set_name(name);
  v1::Job job;
  ASSERT_EQ(jobs_->Cancel(cancel, &job), absl::OkStatus());
  EXPECT_EQ(job.state(), v1::JOB_STATE_RUNNING);
  v1::HeartbeatRequest beat;
  beat.set_name(name);
  beat.set_lease_id(lease);
  v1::HeartbeatResponse answer;
  ASSERT_EQ(workers_->Heartbeat(beat, &answer), absl::OkStatus());
  EXPECT_TRUE(answer.cancel_requested());
  v1::FailJobRequest fail;
  fail.set_name(name);
  fail.set_lease_id(lease);
  fail.set_error("stopped at step 70");
  ASSERT_EQ(workers_->Fail(fail, &job), absl::OkStatus());
  EXPECT_EQ(job.state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(job.error(), "stopped at step 70");
}

TEST_F(JobsApiTest, AReleasedJobIsClaimedAgain) {
  const std::string name = Create().name();
  v1::ReleaseJobRequest release;
  release.set_name(name);
  release.set_lease_id(Claim().lease().id());
  v1::Job job;
  ASSERT_EQ(workers_->Release(release, &job), absl::OkStatus());
  EXPECT_EQ(Claim().job().name(), name);
  EXPECT_EQ(ReasonOf(workers_->Release(release, &job)), "LEASE_LOST");
}

TEST_F(JobsApiTest, RefusesWhatIsNoRequest) {
  v1::Job job;
  v1::GetJobRequest get;
  for (const char* name : {"", "jobs/", "train-1", "models/violin"}) {
    get.set_name(name);
    EXPECT_EQ(ReasonOf(jobs_->Get(get, &job)), "INVALID_JOB_REQUEST") << name;
  }
  get.set_name("jobs/nobody");
  EXPECT_EQ(ReasonOf(jobs_->Get(get, &job)), "JOB_NOT_FOUND");
  v1::ListJobsResponse list;
  v1::ListJobsRequest request;
  request.set_page_size(-1);
  EXPECT_EQ(ReasonOf(jobs_->List(request, &list)), "INVALID_JOB_REQUEST");
  v1::HeartbeatRequest beat;
  beat.set_name("jobs/x");
  (*beat.mutable_progress()->mutable_metrics())["loss"] = std::numeric_limits<double>::quiet_NaN();
  v1::HeartbeatResponse answer;
  const absl::Status error = workers_->Heartbeat(beat, &answer);
  EXPECT_EQ(ReasonOf(error), "INVALID_JOB_REQUEST");
  EXPECT_THAT(std::string(error.message()), HasSubstr("'loss' is nan"));
}

TEST_F(JobsApiTest, ListsInPagesWithAFilter) {
  Create();
  v1::ListJobsRequest request;
  request.set_filter("kind = train AND state = QUEUED");
  v1::ListJobsResponse list;
  ASSERT_EQ(jobs_->List(request, &list), absl::OkStatus());
  EXPECT_EQ(list.jobs_size(), 1);
  EXPECT_EQ(list.next_page_token(), "");
}

TEST_F(JobsApiTest, BytesComeBackInChunks) {
  v1::DownloadChunkRequest request;
  request.set_sha256(Upload("listening example"));
  request.set_offset(10);
  v1::DownloadChunkResponse response;
  ASSERT_EQ(blobs_->DownloadChunk(request, &response), absl::OkStatus());
  EXPECT_EQ(response.data(), "example");
  EXPECT_EQ(response.size(), 17);
  EXPECT_EQ(response.crc32c(), Crc32c("example"));
  request.set_max_bytes((1 << 20) + 1);
  EXPECT_EQ(ReasonOf(blobs_->DownloadChunk(request, &response)), "INVALID_BLOB_REQUEST");
  v1::UploadChunkRequest chunk;
  chunk.set_data(std::string((1 << 20) + 1, 'x'));
  v1::UploadStatus status;
  EXPECT_EQ(ReasonOf(blobs_->UploadChunk(chunk, &status)), "INVALID_BLOB_REQUEST");
}

}  // namespace
}  // namespace ddsp::server
