// ddsp.v1.Jobs over a connection.
#include "server/rpc/jobs_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <future>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "core/base/sha256.h"
#include "ddsp/v1/jobs.grpc.pb.h"
#include "server/jobs/sql_job_store.h"
#include "server/jobs/sqlite_engine.h"
#include "server/rpc/endpoint.h"
#include "server/rpc/io_thread.h"

namespace ddsp::server {
namespace {

namespace fs = std::filesystem;

class JobsServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / "ddsp_rpc_XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    store_ = *MakeSqlJobStore(*OpenSqlite({.path = folder_ + "/jobs"}), clock_, {});
    blobs_ = *BlobStore::Open({.folder = folder_}, clock_);
    work_.emplace(WorkQueue::Options{.threads = 2, .max_waiting = 64});
    following_.emplace(WorkQueue::Options{.threads = 1, .max_waiting = 64});
    publishing_.emplace(WorkQueue::Options{.threads = 1, .max_waiting = 64});
    auto methods = std::make_unique<MethodTable>();
    AddJobsMethods({*store_, *blobs_, {}, *work_, *following_, *publishing_, clock_}, methods.get());
    endpoint_ = *Endpoint::Open({.address = "127.0.0.1:0"}, std::move(methods));
    io_.emplace(std::vector<grpc::CompletionQueue*>{endpoint_->queue()}, [this] { return endpoint_->live_calls(); });
    stub_ = v1::Jobs::NewStub(
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", endpoint_->port()), grpc::InsecureChannelCredentials()));
  }
  void TearDown() override {
    endpoint_->Stop();
    io_.reset();
    endpoint_.reset();
    publishing_.reset();
    following_.reset();
    work_.reset();
    blobs_.reset();
    store_.reset();
    fs::remove_all(folder_);
  }

  void Upload(const std::string& bytes) {
    v1::BeginUploadRequest begin;
    begin.set_sha256(Sha256Hex(bytes));
    begin.set_size(static_cast<int64_t>(bytes.size()));
    v1::UploadStatus status;
    grpc::ClientContext first, second;
    ASSERT_TRUE(stub_->BeginUpload(&first, begin, &status).ok());
    v1::UploadChunkRequest chunk;
    chunk.set_sha256(begin.sha256());
    chunk.set_data(bytes);
    chunk.set_crc32c(Crc32c(bytes));
    ASSERT_TRUE(stub_->UploadChunk(&second, chunk, &status).ok());
    EXPECT_TRUE(status.complete());
  }
  v1::Job Create() {
    Upload("sound");
    v1::CreateJobRequest request;
    v1::JobFile* const file = request.mutable_spec()->mutable_features()->add_inputs();
    file->set_path("one.wav");
    file->set_sha256(Sha256Hex("sound"));
    file->set_size(5);
    grpc::ClientContext context;
    v1::Job job;
    const grpc::Status status = stub_->Create(&context, request, &job);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return job;
  }
  v1::LeasedJob Claim() {
    v1::ClaimJobsRequest request;
    request.set_worker("w");
    request.add_kinds("features");
    grpc::ClientContext context;
    v1::ClaimJobsResponse response;
    EXPECT_TRUE(stub_->Claim(&context, request, &response).ok());
    return response.jobs(0);
  }
  void Complete(const v1::LeasedJob& leased) {
    v1::CompleteJobRequest request;
    request.set_name(leased.job().name());
    request.set_lease_id(leased.lease().id());
    grpc::ClientContext context;
    v1::Job job;
    EXPECT_TRUE(stub_->Complete(&context, request, &job).ok());
  }

  std::string folder_;
  SimClock clock_;
  std::unique_ptr<JobStore> store_;
  std::unique_ptr<BlobStore> blobs_;
  std::optional<WorkQueue> work_, following_, publishing_;
  std::unique_ptr<Endpoint> endpoint_;
  std::optional<IoThread> io_;
  std::unique_ptr<v1::Jobs::Stub> stub_;
};

TEST_F(JobsServiceTest, EveryMethodOfTheServiceIsThere) {
  MethodTable methods;
  AddJobsMethods({*store_, *blobs_, {}, *work_, *following_, *publishing_, clock_}, &methods);
  const auto* const service = v1::Job::descriptor()->file()->service(0);
  std::set<std::string> known;
  for (const std::string& name : methods.services()) known.insert(name);
  EXPECT_THAT(known, testing::ElementsAre(service->full_name()));
  for (int i = 0; i < service->method_count(); ++i) {
    EXPECT_TRUE(methods.Has(service->full_name(), service->method(i)->name())) << service->method(i)->name();
  }
}

TEST_F(JobsServiceTest, AWatcherSeesAJobToItsEnd) {
  const v1::Job job = Create();
  v1::WatchJobRequest request;
  request.set_name(job.name());
  grpc::ClientContext context;
  const auto watch = stub_->Watch(&context, request);
  v1::Job seen;
  ASSERT_TRUE(watch->Read(&seen));
  EXPECT_EQ(seen.state(), v1::JOB_STATE_QUEUED);
  const v1::LeasedJob leased = Claim();
  ASSERT_TRUE(watch->Read(&seen));
  EXPECT_EQ(seen.state(), v1::JOB_STATE_RUNNING);
  Complete(leased);
  ASSERT_TRUE(watch->Read(&seen));
  EXPECT_EQ(seen.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_FALSE(watch->Read(&seen));
  EXPECT_TRUE(watch->Finish().ok());
}

TEST_F(JobsServiceTest, AWatcherOfWhatIsOverIsToldOnce) {
  const v1::Job job = Create();
  Complete(Claim());
  v1::WatchJobRequest request;
  request.set_name(job.name());
  request.set_after_revision(3);
  grpc::ClientContext context;
  const auto watch = stub_->Watch(&context, request);
  v1::Job seen;
  EXPECT_FALSE(watch->Read(&seen)) << "revision 3 is known already";
  EXPECT_TRUE(watch->Finish().ok());
}

TEST_F(JobsServiceTest, WaitingAnswersWhenTheJobIsDone) {
  const v1::Job job = Create();
  std::promise<v1::Job> answered;
  std::thread client([&] {
    v1::WaitJobRequest request;
    request.set_name(job.name());
    grpc::ClientContext context;
    v1::Job done;
    EXPECT_TRUE(stub_->Wait(&context, request, &done).ok());
    answered.set_value(done);
  });
  Complete(Claim());
  EXPECT_EQ(answered.get_future().get().state(), v1::JOB_STATE_SUCCEEDED);
  client.join();
}

TEST_F(JobsServiceTest, WaitingNoTimeAnswersWithTheJobAsItIs) {
  v1::WaitJobRequest request;
  request.set_name(Create().name());
  request.mutable_timeout();
  grpc::ClientContext context;
  v1::Job job;
  ASSERT_TRUE(stub_->Wait(&context, request, &job).ok());
  EXPECT_FALSE(job.done());
}

TEST_F(JobsServiceTest, ErrorsHaveTheirCodes) {
  v1::WatchJobRequest request;
  request.set_name("jobs/nobody");
  grpc::ClientContext context;
  EXPECT_EQ(stub_->Watch(&context, request)->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
  v1::GetJobRequest get;
  get.set_name("nobody");
  grpc::ClientContext other;
  v1::Job job;
  EXPECT_EQ(stub_->Get(&other, get, &job).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

// Theorem: watchers that leave at any moment leave nothing behind, whatever changes meanwhile.
TEST_F(JobsServiceTest, WatchersMayLeaveAtAnyMoment) {
  const v1::Job job = Create();
  const v1::LeasedJob leased = Claim();
  for (int round = 0; round < 50; ++round) {
    v1::WatchJobRequest request;
    request.set_name(job.name());
    grpc::ClientContext context;
    const auto watch = stub_->Watch(&context, request);
    v1::Job seen;
    if (round % 2 == 0) {
      ASSERT_TRUE(watch->Read(&seen));
    }
    store_->changes().Publish("");
    context.TryCancel();
    ASSERT_TRUE(store_->Apply(job.name().substr(5), JobHeartbeat{.lease_id = leased.lease().id()}).ok());
    watch->Finish();
  }
  Complete(leased);
}

}  // namespace
}  // namespace ddsp::server
