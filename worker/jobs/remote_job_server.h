#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

#include "ddsp/v1/jobs.grpc.pb.h"
#include "worker/jobs/job_server.h"

namespace ddsp::worker {

// A server behind a channel.
class RemoteJobServer : public JobServer {
 public:
  explicit RemoteJobServer(const std::shared_ptr<grpc::Channel>& channel) : stub_(v1::Jobs::NewStub(channel)) {}

  absl::StatusOr<std::vector<v1::LeasedJob>> Claim(const v1::ClaimJobsRequest& request,
                                                   absl::Duration timeout) override;
  absl::StatusOr<v1::Job> Get(const std::string& name, absl::Duration timeout) override;
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request, absl::Duration timeout) override;
  absl::StatusOr<v1::Job> Complete(const v1::CompleteJobRequest& request, absl::Duration timeout) override;
  absl::StatusOr<v1::Job> Fail(const v1::FailJobRequest& request, absl::Duration timeout) override;
  absl::StatusOr<v1::Job> Release(const v1::ReleaseJobRequest& request, absl::Duration timeout) override;

 private:
  const std::unique_ptr<v1::Jobs::Stub> stub_;
};

}  // namespace ddsp::worker
