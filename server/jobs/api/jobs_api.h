// ddsp.v1.Jobs without its transport: each function answers one call and may wait for the database or the disk.
#pragma once

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "core/base/mutex.h"
#include "ddsp/v1/jobs.pb.h"
#include "server/blobs/blob_store.h"
#include "server/jobs/api/result_publisher.h"
#include "server/jobs/job_store.h"

namespace ddsp::server {

// Whether this server takes a job whose spec is well formed: that it knows the recipe, and that the voice may have that
// name. Errors: INVALID_JOB_REQUEST, MODEL_NOT_FOUND.
using SpecCheck = std::function<absl::Status(const v1::JobSpec&)>;

// What clients ask for. The stores outlive it.
class JobsApi {
 public:
  // An empty check takes every job.
  JobsApi(JobStore& jobs, BlobStore& blobs, SpecCheck check = {})
      : jobs_(jobs), blobs_(blobs), check_(std::move(check)) {}

  // A job whose files have not been uploaded is refused: BLOB_NOT_FOUND. Also with the errors of the check.
  absl::Status Create(const v1::CreateJobRequest& request, const JobOwner& owner, v1::Job* response);
  absl::Status Create(const v1::CreateJobRequest& request, v1::Job* response) { return Create(request, {}, response); }
  absl::Status Get(const v1::GetJobRequest& request, v1::Job* response);
  absl::Status List(const v1::ListJobsRequest& request, v1::ListJobsResponse* response);
  absl::Status Cancel(const v1::CancelJobRequest& request, v1::Job* response);
  absl::Status ListLogLines(const v1::ListLogLinesRequest& request, v1::ListLogLinesResponse* response);

 private:
  JobStore& jobs_;
  BlobStore& blobs_;
  const SpecCheck check_;
};

// What workers say. The stores and the publisher outlive it.
class WorkersApi {
 public:
  // Without a publisher a train job succeeds with what its worker says.
  WorkersApi(JobStore& jobs, BlobStore& blobs, const JobPolicy& policy, ResultPublisher* publisher = nullptr)
      : jobs_(jobs), blobs_(blobs), policy_(policy), publisher_(publisher) {}

  absl::Status Claim(const v1::ClaimJobsRequest& request, v1::ClaimJobsResponse* response);
  // A checkpoint, an example, an output or a file of a result that has not been uploaded is refused: BLOB_NOT_FOUND.
  absl::Status Heartbeat(const v1::HeartbeatRequest& request, v1::HeartbeatResponse* response);
  // Publishes the result of a train job first, which takes seconds; a result that is unfit fails the job for good,
  // which is no error here. Errors: LEASE_LOST; those of the publisher that may pass.
  absl::Status Complete(const v1::CompleteJobRequest& request, v1::Job* response);
  absl::Status Fail(const v1::FailJobRequest& request, v1::Job* response);
  absl::Status Release(const v1::ReleaseJobRequest& request, v1::Job* response);

 private:
  absl::Status Apply(const std::string& name, const JobEvent& event, v1::Job* response);
  // A finished job needs its checkpoint no longer.
  void LetGo(const Job& job);
  // What becomes of a train job whose worker brings `result`.
  absl::StatusOr<JobEvent> EndOf(const Job& job, const std::string& lease_id, const v1::JobResult& result);

  JobStore& jobs_;
  BlobStore& blobs_;
  const JobPolicy policy_;
  ResultPublisher* const publisher_;
  Mutex publishing_;  // held while the publisher works: two calls for one job (an answer was lost) take turns
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
