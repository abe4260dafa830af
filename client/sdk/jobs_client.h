// ddsp.v1.Jobs, called so that lost connections, restarts of the server and lost answers are no news to the caller.
//
//   JobsClient jobs(MakeChannel("localhost:8001"), {});
//   auto job = jobs.Create(request);
//   job = jobs.Wait(job->name(), absl::Hours(1));
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/sdk/retry.h"
#include "ddsp/v1/jobs.grpc.pb.h"

namespace ddsp::client {

class JobsCaller;
class JobWatch;

// Any number of threads may call. Errors are those of the server (error.h), UNAVAILABLE or DEADLINE_EXCEEDED once
// options.retry gives up, and CANCELLED.
class JobsClient {
 public:
  JobsClient(const std::shared_ptr<grpc::Channel>& channel, CallOptions options);
  JobsClient(std::shared_ptr<v1::Jobs::StubInterface> stub, CallOptions options);
  // With what it knows of the server: whether it has ever answered.
  explicit JobsClient(std::shared_ptr<JobsCaller> caller);
  ~JobsClient();

  // For clients. A request without a request_id gets one, so that attempts create one job.
  absl::StatusOr<v1::Job> Create(v1::CreateJobRequest request);
  absl::StatusOr<v1::Job> Get(const std::string& name);
  absl::StatusOr<v1::ListJobsResponse> List(const v1::ListJobsRequest& request);
  absl::StatusOr<v1::Job> Cancel(const std::string& name);
  // The job when it is done, or as it is after `timeout`.
  absl::StatusOr<v1::Job> Wait(const std::string& name, absl::Duration timeout);
  // The job now and after every change. The client outlives it.
  std::unique_ptr<JobWatch> Watch(const std::string& name);
  // At most `max_lines` (1 to 1000) lines after number `after`.
  absl::StatusOr<std::vector<v1::LogLine>> ListLogLines(const std::string& name, int64_t after, int max_lines = 1000);

  // For workers. Attempts of Claim may each lease a job: one whose answer was lost runs out of its lease. A worker's
  // heartbeats should give up (options.retry.give_up_after) no later than its lease ends.
  absl::StatusOr<std::vector<v1::LeasedJob>> Claim(const v1::ClaimJobsRequest& request);
  // Lines of the log may be there twice after an answer was lost.
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request);
  absl::StatusOr<v1::Job> Complete(const v1::CompleteJobRequest& request);
  absl::StatusOr<v1::Job> Fail(const v1::FailJobRequest& request);
  // ABORTED (LEASE_LOST) where an earlier attempt succeeded and its answer was lost.
  absl::StatusOr<v1::Job> Release(const v1::ReleaseJobRequest& request);

 private:
  const std::shared_ptr<JobsCaller> caller_;
};

// A job as it changes; connects again as often as it takes, and tells nothing twice. For one thread.
class JobWatch {
 public:
  JobWatch(JobsCaller& caller, std::string name);
  ~JobWatch();

  // Waits for the next change; nullopt after the one in which the job is done. Several changes may come as one.
  // Errors: as JobsClient.
  absl::StatusOr<std::optional<v1::Job>> Next();

 private:
  class Stream;
  v1::Job Tell(v1::Job job);

  JobsCaller& caller_;
  const std::string name_;
  std::unique_ptr<Stream> stream_;  // null: not connected
  int64_t revision_ = 0;            // of the last one told
  bool done_ = false;
};

// Whether the error is of a worker that lost its lease: the job is somebody else's, publish nothing.
bool IsLeaseLost(const absl::Status& error);

}  // namespace ddsp::client
