#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/utf8.h"
#include "server/errors/errors.h"
#include "server/jobs/api/job_files.h"
#include "server/jobs/api/job_message.h"
#include "server/jobs/api/job_spec.h"
#include "server/jobs/api/jobs_api.h"

namespace ddsp::server {
namespace {

constexpr char kTrain[] = "train";
constexpr size_t kMaxErrorBytes = 8 << 10;

// What can be kept as a job's error.
std::string ShortText(absl::string_view text) {
  const std::string start(text.substr(0, kMaxErrorBytes));
  return start.substr(0, FirstNoText(start).value_or(start.size()));
}

}  // namespace

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
    RETURN_IF_ERROR(CheckUploaded(request.progress().examples(), blobs_));
  }
  if (request.has_checkpoint()) {
    RETURN_IF_ERROR(blobs_.Touch(request.checkpoint().sha256()).status());
    heartbeat.checkpoint = JobCheckpoint{request.checkpoint().step(), request.checkpoint().sha256()};
  }
  for (const std::string& blob : request.outputs()) RETURN_IF_ERROR(blobs_.Touch(blob).status());
  heartbeat.outputs.assign(request.outputs().begin(), request.outputs().end());
  ASSIGN_OR_RETURN(const JobHeard heard,
                   jobs_.Heartbeat(id, heartbeat, {request.log_lines().begin(), request.log_lines().end()}));
  for (const std::string& blob : heard.superseded) blobs_.Supersede(blob);
  response->set_cancel_requested(heard.cancel_requested);
  return absl::OkStatus();
}

absl::Status WorkersApi::Complete(const v1::CompleteJobRequest& request, v1::Job* response) {
  RETURN_IF_ERROR(ValidateFiles("result.files", request.result().files()));
  RETURN_IF_ERROR(CheckUploaded(request.result().files(), blobs_));
  ASSIGN_OR_RETURN(const std::string result, ToJson(request.result(), "result"));
  ASSIGN_OR_RETURN(const std::string id, IdOf(request.name()));
  if (publisher_ == nullptr) return Apply(request.name(), JobCompleted{request.lease_id(), result}, response);
  ASSIGN_OR_RETURN(Job job, jobs_.Get(id));
  if (job.kind != kTrain) return Apply(request.name(), JobCompleted{request.lease_id(), result}, response);

  const MutexLock lock(&publishing_);
  // Who comes a second time finds what the first has made of the job.
  ASSIGN_OR_RETURN(job, jobs_.Get(id));
  const bool is_over = job.lease_id == request.lease_id() && !request.lease_id().empty() && IsFinished(job.state);
  if (!is_over) {
    ASSIGN_OR_RETURN(const JobEvent end, EndOf(job, request.lease_id(), request.result()));
    ASSIGN_OR_RETURN(job, jobs_.Apply(id, end));
    LetGo(job);
  }
  ASSIGN_OR_RETURN(*response, ToMessage(job));
  return absl::OkStatus();
}

absl::StatusOr<JobEvent> WorkersApi::EndOf(const Job& job, const std::string& lease_id, const v1::JobResult& result) {
  const auto renew = [&] { return jobs_.Apply(job.id, JobHeartbeat{.lease_id = lease_id}); };
  ASSIGN_OR_RETURN(const Job running, renew());
  if (running.cancel_requested) return JobAttemptFailed{lease_id, "cancelled before it was published"};
  const auto published = publisher_->Publish(running, result, [&] { return renew().status(); });
  if (published.ok()) {
    ASSIGN_OR_RETURN(const std::string json, ToJson(*published, "result"));
    return JobCompleted{lease_id, json};
  }
  if (!FailsForGood(published.status())) return published.status();
  return JobAttemptFailed{lease_id, ShortText(published.status().message()), FailureKind::kPermanent};
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
  LetGo(job);
  ASSIGN_OR_RETURN(*response, ToMessage(job));
  return absl::OkStatus();
}

void WorkersApi::LetGo(const Job& job) {
  if (IsFinished(job.state) && !job.checkpoint.blob.empty()) blobs_.Supersede(job.checkpoint.blob);
}

}  // namespace ddsp::server
