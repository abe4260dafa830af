// Jobs and blobs in this process, whose calls go wrong when a test says so.
#pragma once

#include <grpcpp/server.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/mutex.h"
#include "ddsp/v1/jobs.grpc.pb.h"
#include "server/jobs/api/jobs_api.h"
#include "tests/support/test_voice.h"

namespace ddsp::client {

enum class Fault {
  kNone,
  kRefused,     // nothing was done: UNAVAILABLE
  kAnswerLost,  // it was done: UNAVAILABLE
  kGarbled,     // bytes are changed on their way, to the server or from it
};

class FaultyJobs : public v1::Jobs::Service {
 public:
  // Asked before each call with its number, from 0 on, among all calls.
  using Plan = std::function<Fault(int call, const std::string& method)>;
  explicit FaultyJobs(Plan plan);
  ~FaultyJobs() override;

  const std::string& address() const { return address_; }
  server::BlobStore& blobs() { return *blobs_; }
  server::JobStore& jobs() { return *jobs_; }
  // Calls that came, and bytes of their chunks.
  int calls(const std::string& method) const;
  int64_t bytes_received() const;

  grpc::Status Create(grpc::ServerContext*, const v1::CreateJobRequest* request, v1::Job* response) override;
  grpc::Status Get(grpc::ServerContext*, const v1::GetJobRequest* request, v1::Job* response) override;
  grpc::Status BeginUpload(grpc::ServerContext*, const v1::BeginUploadRequest* request,
                           v1::UploadStatus* response) override;
  grpc::Status UploadChunk(grpc::ServerContext*, const v1::UploadChunkRequest* request,
                           v1::UploadStatus* response) override;
  grpc::Status CancelUpload(grpc::ServerContext*, const v1::CancelUploadRequest* request,
                            v1::UploadStatus* response) override;
  grpc::Status DownloadChunk(grpc::ServerContext*, const v1::DownloadChunkRequest* request,
                             v1::DownloadChunkResponse* response) override;

 private:
  grpc::Status Answer(const std::string& method, const std::function<absl::Status(Fault)>& work);

  const Plan plan_;
  ddsp::testing::TempDir folder_;
  std::unique_ptr<server::JobStore> jobs_;
  std::unique_ptr<server::BlobStore> blobs_;
  std::unique_ptr<server::JobsApi> jobs_api_;
  std::unique_ptr<server::BlobsApi> blobs_api_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
  mutable Mutex mu_;
  std::vector<std::string> methods_ ABSL_GUARDED_BY(mu_);
  int64_t bytes_received_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ddsp::client
