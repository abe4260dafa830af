#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ddsp/v1/jobs.pb.h"

namespace ddsp::worker {

// What a worker asks of its server. Each call is made once; who calls decides whether to call again.
// Any number of threads may call. Errors: those of ddsp.v1.Jobs, UNAVAILABLE, DEADLINE_EXCEEDED after `timeout`.
class JobServer {
 public:
  virtual ~JobServer() = default;
  virtual absl::StatusOr<std::vector<v1::LeasedJob>> Claim(const v1::ClaimJobsRequest& request,
                                                           absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::Job> Get(const std::string& name, absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request,
                                                          absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::Job> Complete(const v1::CompleteJobRequest& request, absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::Job> Fail(const v1::FailJobRequest& request, absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::Job> Release(const v1::ReleaseJobRequest& request, absl::Duration timeout) = 0;
};

}  // namespace ddsp::worker
