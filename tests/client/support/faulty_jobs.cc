#include "tests/client/support/faulty_jobs.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <algorithm>

#include "server/jobs/sql_job_store.h"
#include "server/jobs/sqlite_engine.h"
#include "server/rpc/status_details.h"

namespace ddsp::client {

FaultyJobs::FaultyJobs(Plan plan) : plan_(std::move(plan)) {
  jobs_ = *server::MakeSqlJobStore(*server::OpenSqlite({.path = folder_.path() + "/jobs"}), Clock::Steady(), {});
  blobs_ = *server::BlobStore::Open({.folder = folder_.path() + "/blobs", .quota = 64 << 20}, Clock::Steady());
  jobs_api_ = std::make_unique<server::JobsApi>(*jobs_, *blobs_);
  blobs_api_ = std::make_unique<server::BlobsApi>(*blobs_);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

FaultyJobs::~FaultyJobs() {
  server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
  const MutexLock lock(&mu_);  // for the thread sanitizer, which sees nothing of the library's waiting
}

int FaultyJobs::calls(const std::string& method) const {
  const MutexLock lock(&mu_);
  return static_cast<int>(std::count(methods_.begin(), methods_.end(), method));
}

int64_t FaultyJobs::bytes_received() const {
  const MutexLock lock(&mu_);
  return bytes_received_;
}

grpc::Status FaultyJobs::Answer(const std::string& method, const std::function<absl::Status(Fault)>& work) {
  Fault fault = Fault::kNone;
  {
    const MutexLock lock(&mu_);
    fault = plan_(static_cast<int>(methods_.size()), method);
    methods_.push_back(method);
  }
  if (fault == Fault::kRefused) return {grpc::StatusCode::UNAVAILABLE, "refused by the test"};
  const absl::Status done = work(fault);
  if (fault == Fault::kAnswerLost) return {grpc::StatusCode::UNAVAILABLE, "its answer is lost by the test"};
  return server::ToGrpc(done);
}

grpc::Status FaultyJobs::Create(grpc::ServerContext*, const v1::CreateJobRequest* request, v1::Job* response) {
  return Answer("Create", [&](Fault) { return jobs_api_->Create(*request, response); });
}
grpc::Status FaultyJobs::Get(grpc::ServerContext*, const v1::GetJobRequest* request, v1::Job* response) {
  return Answer("Get", [&](Fault) { return jobs_api_->Get(*request, response); });
}
grpc::Status FaultyJobs::BeginUpload(grpc::ServerContext*, const v1::BeginUploadRequest* request,
                                     v1::UploadStatus* response) {
  return Answer("BeginUpload", [&](Fault) { return blobs_api_->BeginUpload(*request, response); });
}
grpc::Status FaultyJobs::UploadChunk(grpc::ServerContext*, const v1::UploadChunkRequest* request,
                                     v1::UploadStatus* response) {
  return Answer("UploadChunk", [&](Fault fault) {
    v1::UploadChunkRequest received = *request;
    if (fault == Fault::kGarbled) received.mutable_data()->back() ^= 1;
    {
      const MutexLock lock(&mu_);
      bytes_received_ += static_cast<int64_t>(received.data().size());
    }
    return blobs_api_->UploadChunk(received, response);
  });
}
grpc::Status FaultyJobs::CancelUpload(grpc::ServerContext*, const v1::CancelUploadRequest* request,
                                      v1::UploadStatus* response) {
  return Answer("CancelUpload", [&](Fault) { return blobs_api_->CancelUpload(*request, response); });
}
grpc::Status FaultyJobs::DownloadChunk(grpc::ServerContext*, const v1::DownloadChunkRequest* request,
                                       v1::DownloadChunkResponse* response) {
  return Answer("DownloadChunk", [&](Fault fault) {
    const absl::Status done = blobs_api_->DownloadChunk(*request, response);
    if (fault == Fault::kGarbled && !response->data().empty()) response->mutable_data()->back() ^= 1;
    return done;
  });
}

}  // namespace ddsp::client
