#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/jobs/api/job_files.h"
#include "server/jobs/api/job_message.h"
#include "server/jobs/api/jobs_api.h"

namespace ddsp::server {

absl::Status WorkersApi::Claim(const v1::ClaimJobsRequest& request, v1::ClaimJobsResponse* response) {
  JobClaim claim{.worker = request.worker(),
                 .kinds = {request.kinds().begin(), request.kinds().end()},
                 .max_jobs = request.max_jobs() != 0 ? request.max_jobs() : 1};
  if (!request.name().empty()) {
    ASSIGN_OR_RETURN(claim.job_id, IdOf(request.name()));
  }
  ASSIGN_OR_RETURN(const std::vector<Job> jobs, jobs_.Claim(claim));
  for (const Job& job : jobs) {
    v1::LeasedJob* const leased = response->add_jobs();
    ASSIGN_OR_RETURN(*leased->mutable_job(), ToMessage(job));
    leased->mutable_lease()->set_id(job.lease_id);
    *leased->mutable_lease()->mutable_duration() = ToDuration(policy_.lease);
    *leased->mutable_lease()->mutable_heartbeat() = ToDuration(policy_.heartbeat);
  }
  return absl::OkStatus();
}

absl::Status WorkersApi::Heartbeat(const v1::HeartbeatRequest& request, v1::HeartbeatResponse* response) {
  ASSIGN_OR_RETURN(const std::string id, IdOf(request.name()));
  JobHeartbeat heartbeat{.lease_id = request.lease_id()};
  if (request.has_progress()) {
    ASSIGN_OR_RETURN(heartbeat.progress, ToProgress(request.progress()));
  }
  if (request.has_checkpoint()) {
    RETURN_IF_ERROR(blobs_.SizeOf(request.checkpoint().sha256()).status());
    heartbeat.checkpoint = JobCheckpoint{request.checkpoint().step(), request.checkpoint().sha256()};
  }
  // The lease first: it must not end over a line of the log.
  ASSIGN_OR_RETURN(const Job job, jobs_.Apply(id, heartbeat));
  if (!request.log_lines().empty()) {
    RETURN_IF_ERROR(jobs_.AppendLog(id, request.lease_id(), {request.log_lines().begin(), request.log_lines().end()}));
  }
  response->set_cancel_requested(job.cancel_requested);
  return absl::OkStatus();
}

absl::Status WorkersApi::Complete(const v1::CompleteJobRequest& request, v1::Job* response) {
  RETURN_IF_ERROR(CheckUploaded(request.result().files(), blobs_));
  ASSIGN_OR_RETURN(const std::string result, ToJson(request.result(), "result"));
  return Apply(request.name(), JobCompleted{request.lease_id(), result}, response);
}

absl::Status WorkersApi::Fail(const v1::FailJobRequest& request, v1::Job* response) {
  const FailureKind kind = request.permanent() ? FailureKind::kPermanent : FailureKind::kTransient;
  return Apply(request.name(), JobAttemptFailed{request.lease_id(), request.error(), kind}, response);
}

absl::Status WorkersApi::Release(const v1::ReleaseJobRequest& request, v1::Job* response) {
  return Apply(request.name(), JobReleased{request.lease_id()}, response);
}

absl::Status WorkersApi::Apply(const std::string& name, const JobEvent& event, v1::Job* response) {
  ASSIGN_OR_RETURN(const std::string id, IdOf(name));
  ASSIGN_OR_RETURN(const Job job, jobs_.Apply(id, event));
  ASSIGN_OR_RETURN(*response, ToMessage(job));
  return absl::OkStatus();
}

}  // namespace ddsp::server
