// ddsp.v1.Jobs without its transport: each function answers one call and may wait for the database or the disk.
#pragma once

#include "absl/status/status.h"
#include "ddsp/v1/jobs.pb.h"
#include "server/blobs/blob_store.h"
#include "server/jobs/job_store.h"

namespace ddsp::server {

// What clients ask for. The stores outlive it.
class JobsApi {
 public:
  JobsApi(JobStore& jobs, const BlobStore& blobs) : jobs_(jobs), blobs_(blobs) {}

  // A job whose files have not been uploaded is refused: BLOB_NOT_FOUND.
  absl::Status Create(const v1::CreateJobRequest& request, v1::Job* response);
  absl::Status Get(const v1::GetJobRequest& request, v1::Job* response);
  absl::Status List(const v1::ListJobsRequest& request, v1::ListJobsResponse* response);
  absl::Status Cancel(const v1::CancelJobRequest& request, v1::Job* response);
  absl::Status ListLogLines(const v1::ListLogLinesRequest& request, v1::ListLogLinesResponse* response);

 private:
  JobStore& jobs_;
  const BlobStore& blobs_;
};

// What workers say. The stores outlive it.
class WorkersApi {
 public:
  WorkersApi(JobStore& jobs, const BlobStore& blobs, const JobPolicy& policy)
      : jobs_(jobs), blobs_(blobs), policy_(policy) {}

  absl::Status Claim(const v1::ClaimJobsRequest& request, v1::ClaimJobsResponse* response);
  // A checkpoint, or a file of a result, that has not been uploaded is refused: BLOB_NOT_FOUND.
  absl::Status Heartbeat(const v1::HeartbeatRequest& request, v1::HeartbeatResponse* response);
  absl::Status Complete(const v1::CompleteJobRequest& request, v1::Job* response);
  absl::Status Fail(const v1::FailJobRequest& request, v1::Job* response);
  absl::Status Release(const v1::ReleaseJobRequest& request, v1::Job* response);

 private:
  absl::Status Apply(const std::string& name, const JobEvent& event, v1::Job* response);

  JobStore& jobs_;
  const BlobStore& blobs_;
  const JobPolicy policy_;
};

// Bytes in and out. The store outlives it.
class BlobsApi {
 public:
  explicit BlobsApi(BlobStore& blobs) : blobs_(blobs) {}

  absl::Status BeginUpload(const v1::BeginUploadRequest& request, v1::UploadStatus* response);
  absl::Status UploadChunk(const v1::UploadChunkRequest& request, v1::UploadStatus* response);
  absl::Status CancelUpload(const v1::CancelUploadRequest& request, v1::UploadStatus* response);
  absl::Status DownloadChunk(const v1::DownloadChunkRequest& request, v1::DownloadChunkResponse* response);

 private:
  BlobStore& blobs_;
};

}  // namespace ddsp::server
