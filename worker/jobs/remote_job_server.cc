#include "worker/jobs/remote_job_server.h"

#include <grpcpp/client_context.h>

#include <chrono>

#include "client/sdk/error.h"
#include "core/base/status_macros.h"

namespace ddsp::worker {
namespace {

template <typename Request, typename Response>
absl::StatusOr<Response> Call(v1::Jobs::Stub& stub, const Request& request, absl::Duration timeout,
                              grpc::Status (v1::Jobs::Stub::*method)(grpc::ClientContext*, const Request&, Response*)) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout));
  Response response;
  RETURN_IF_ERROR(client::FromGrpc((stub.*method)(&context, request, &response)));
  return response;
}

}  // namespace

absl::StatusOr<std::vector<v1::LeasedJob>> RemoteJobServer::Claim(const v1::ClaimJobsRequest& request,
                                                                  absl::Duration timeout) {
  ASSIGN_OR_RETURN(const v1::ClaimJobsResponse response, Call(*stub_, request, timeout, &v1::Jobs::Stub::Claim));
  return std::vector<v1::LeasedJob>(response.jobs().begin(), response.jobs().end());
}

absl::StatusOr<v1::Job> RemoteJobServer::Get(const std::string& name, absl::Duration timeout) {
  v1::GetJobRequest request;
  request.set_name(name);
  return Call(*stub_, request, timeout, &v1::Jobs::Stub::Get);
}

absl::StatusOr<v1::HeartbeatResponse> RemoteJobServer::Heartbeat(const v1::HeartbeatRequest& request,
                                                                 absl::Duration timeout) {
  return Call(*stub_, request, timeout, &v1::Jobs::Stub::Heartbeat);
}

absl::StatusOr<v1::Job> RemoteJobServer::Complete(const v1::CompleteJobRequest& request, absl::Duration timeout) {
  return Call(*stub_, request, timeout, &v1::Jobs::Stub::Complete);
}

absl::StatusOr<v1::Job> RemoteJobServer::Fail(const v1::FailJobRequest& request, absl::Duration timeout) {
  return Call(*stub_, request, timeout, &v1::Jobs::Stub::Fail);
}

absl::StatusOr<v1::Job> RemoteJobServer::Release(const v1::ReleaseJobRequest& request, absl::Duration timeout) {
  return Call(*stub_, request, timeout, &v1::Jobs::Stub::Release);
}

}  // namespace ddsp::worker
