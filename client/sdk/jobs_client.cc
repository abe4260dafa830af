#include "client/sdk/jobs_client.h"

#include <grpcpp/channel.h>

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_format.h"
#include "client/sdk/jobs_caller.h"

namespace ddsp::client {
namespace {

using Stub = v1::Jobs::StubInterface;

// Longest call of Wait(): proxies dislike calls that are silent for long.
constexpr absl::Duration kLongestWait = absl::Minutes(1);

std::string NewRequestId() {
  std::random_device random;
  return absl::StrFormat("%08x%08x%08x%08x", random(), random(), random(), random());
}

template <typename Request>
Request Named(const std::string& name) {
  Request request;
  request.set_name(name);
  return request;
}

}  // namespace

JobsClient::JobsClient(const std::shared_ptr<grpc::Channel>& channel, CallOptions options)
    : JobsClient(v1::Jobs::NewStub(channel), std::move(options)) {}
JobsClient::JobsClient(std::shared_ptr<Stub> stub, CallOptions options)
    : JobsClient(std::make_shared<JobsCaller>(std::move(stub), std::move(options))) {}
JobsClient::JobsClient(std::shared_ptr<JobsCaller> caller) : caller_(std::move(caller)) {}
JobsClient::~JobsClient() = default;

absl::StatusOr<v1::Job> JobsClient::Create(v1::CreateJobRequest request) {
  if (request.request_id().empty()) request.set_request_id(NewRequestId());
  return caller_->Call(&Stub::Create, request);
}
absl::StatusOr<v1::Job> JobsClient::Get(const std::string& name) {
  return caller_->Call(&Stub::Get, Named<v1::GetJobRequest>(name));
}
absl::StatusOr<v1::ListJobsResponse> JobsClient::List(const v1::ListJobsRequest& request) {
  return caller_->Call(&Stub::List, request);
}
absl::StatusOr<v1::Job> JobsClient::Cancel(const std::string& name) {
  return caller_->Call(&Stub::Cancel, Named<v1::CancelJobRequest>(name));
}

absl::StatusOr<v1::Job> JobsClient::Wait(const std::string& name, absl::Duration timeout) {
  const Clock& clock = *caller_->options().clock;
  const absl::Time end = clock.Now() + timeout;
  Backoff backoff = caller_->NewBackoff();
  while (true) {
    const absl::Duration part = std::clamp(end - clock.Now(), absl::ZeroDuration(), kLongestWait);
    v1::WaitJobRequest request = Named<v1::WaitJobRequest>(name);
    request.mutable_timeout()->set_seconds(absl::ToInt64Seconds(part));
    request.mutable_timeout()->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(part - absl::Seconds(absl::ToInt64Seconds(part)))));
    absl::StatusOr<v1::Job> job = caller_->Try(&Stub::Wait, request, part + caller_->options().timeout);
    if (job.ok() && (job->done() || clock.Now() >= end)) return job;
    if (job.ok()) {
      backoff.Reset();
    } else {
      if (!IsPassing(job.status())) return job;
      RETURN_IF_ERROR(caller_->Pause(job.status(), &backoff));
    }
  }
}

std::unique_ptr<JobWatch> JobsClient::Watch(const std::string& name) {
  return std::make_unique<JobWatch>(*caller_, name);
}

absl::StatusOr<std::vector<v1::LogLine>> JobsClient::ListLogLines(const std::string& name, int64_t after,
                                                                  int max_lines) {
  v1::ListLogLinesRequest request = Named<v1::ListLogLinesRequest>(name);
  request.set_after(after);
  request.set_max_lines(max_lines);
  ASSIGN_OR_RETURN(const v1::ListLogLinesResponse response, caller_->Call(&Stub::ListLogLines, request));
  return std::vector<v1::LogLine>(response.lines().begin(), response.lines().end());
}

absl::StatusOr<std::vector<v1::LeasedJob>> JobsClient::Claim(const v1::ClaimJobsRequest& request) {
  ASSIGN_OR_RETURN(const v1::ClaimJobsResponse response, caller_->Call(&Stub::Claim, request));
  return std::vector<v1::LeasedJob>(response.jobs().begin(), response.jobs().end());
}
absl::StatusOr<v1::HeartbeatResponse> JobsClient::Heartbeat(const v1::HeartbeatRequest& request) {
  return caller_->Call(&Stub::Heartbeat, request);
}
absl::StatusOr<v1::Job> JobsClient::Complete(const v1::CompleteJobRequest& request) {
  return caller_->Call(&Stub::Complete, request);
}
absl::StatusOr<v1::Job> JobsClient::Fail(const v1::FailJobRequest& request) {
  return caller_->Call(&Stub::Fail, request);
}
absl::StatusOr<v1::Job> JobsClient::Release(const v1::ReleaseJobRequest& request) {
  return caller_->Call(&Stub::Release, request);
}

bool IsLeaseLost(const absl::Status& error) { return ReasonOf(error) == "LEASE_LOST"; }

}  // namespace ddsp::client
