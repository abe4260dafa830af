#include "worker/jobs/job_session.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/sdk/error.h"
#include "client/sdk/jobs_client.h"
#include "core/base/status_macros.h"
#include "worker/jobs/farewell.h"

namespace ddsp::worker {
namespace {

constexpr size_t kMaxErrorBytes = 2000;
// Bytes beside the inputs: checkpoints, a result.
constexpr int64_t kOwnBytes = int64_t{256} << 20;

// An error of the job, without the folders of this machine.
std::string ErrorText(const absl::Status& error, const std::string& workspace) {
  std::string text = absl::StrReplaceAll(error.message(), {{workspace + "/", ""}, {workspace, ""}});
  if (text.empty()) text = absl::StatusCodeToString(error.code());
  size_t size = std::min(text.size(), kMaxErrorBytes);
  while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

int64_t SizeOf(const google::protobuf::RepeatedPtrField<v1::JobFile>& files) {
  int64_t bytes = 0;
  for (const v1::JobFile& file : files) bytes += file.size();
  return bytes;
}

}  // namespace

int64_t InputBytes(const v1::JobSpec& spec) {
  return SizeOf(spec.train().data()) + SizeOf(spec.transfer().inputs()) + SizeOf(spec.render().inputs()) +
         SizeOf(spec.features().inputs());
}

JobSession::JobSession(JobServer& server, const WorkDir& work_dir, BlobDepot& blobs, StopToken& stop, Options options)
    : server_(server), work_dir_(work_dir), blobs_(blobs), stop_(stop), options_(std::move(options)) {}

void JobSession::Run(const v1::LeasedJob& leased, const JobRunner& runner) {
  LeaseKeeper lease(server_, leased, stop_, options_.lease);
  lease.Say(leased.job().checkpoint().sha256().empty()
                ? absl::StrCat("attempt ", leased.job().attempts(), " begins")
                : absl::StrCat("attempt ", leased.job().attempts(), " goes on from checkpoint ",
                               leased.job().checkpoint().step()));
  Part(leased, Work(leased.job(), runner, lease), lease);
}

absl::StatusOr<v1::JobResult> JobSession::Work(const v1::Job& job, const JobRunner& runner, LeaseKeeper& lease) {
  const auto bytes = static_cast<int64_t>(options_.disk_factor * static_cast<double>(InputBytes(job.spec())));
  ASSIGN_OR_RETURN(const std::unique_ptr<Workspace> workspace, work_dir_.MakeWorkspace(job.name(), bytes + kOwnBytes));
  absl::StatusOr<v1::JobResult> result = runner.Run({job, workspace->path(), blobs_, lease, stop_});
  if (!result.ok()) return absl::Status(result.status().code(), ErrorText(result.status(), workspace->path()));
  return result;
}

void JobSession::Part(const v1::LeasedJob& leased, const absl::StatusOr<v1::JobResult>& result, LeaseKeeper& lease) {
  switch (FarewellOf(result.status(), stop_.reason())) {
    case Farewell::kNone:
      return;
    case Farewell::kComplete:
      return Complete(leased, *result, lease);
    case Farewell::kFail:
    case Farewell::kFailPermanently:
      return Fail(leased, result.status(), lease);
    case Farewell::kRelease:
      lease.Say("the worker shuts down; another goes on");
      lease.Flush(options_.flush_timeout);
      v1::ReleaseJobRequest request;
      request.set_name(leased.job().name());
      request.set_lease_id(leased.lease().id());
      Insist([&](absl::Duration timeout) { return server_.Release(request, timeout); }).IgnoreError();
  }
}

void JobSession::Complete(const v1::LeasedJob& leased, const v1::JobResult& result, LeaseKeeper& lease) {
  lease.Flush(options_.flush_timeout);
  v1::CompleteJobRequest request;
  request.set_name(leased.job().name());
  request.set_lease_id(leased.lease().id());
  *request.mutable_result() = result;
  // The heartbeats go on meanwhile; when one of them hears that the lease is lost, that may be because the job is done,
  // and the server's answer to this call says which.
  const absl::StatusOr<v1::Job> job =
      Insist([&](absl::Duration timeout) { return server_.Complete(request, timeout); });
  if (job.ok() || client::IsLeaseLost(job.status()) || stop_.reason() == StopReason::kLeaseLost) return;
  // A file that the server has lost, or has no room for, is there again after another attempt.
  const absl::StatusCode code =
      absl::IsInvalidArgument(job.status()) ? absl::StatusCode::kInvalidArgument : absl::StatusCode::kInternal;
  Fail(leased, absl::Status(code, absl::StrCat("the result was refused: ", job.status().message())), lease);
}

void JobSession::Fail(const v1::LeasedJob& leased, const absl::Status& error, LeaseKeeper& lease) {
  lease.Say(absl::StrCat(stop_.reason() == StopReason::kCancelled ? "stopped: " : "failed: ", error.message()));
  lease.Flush(options_.flush_timeout);
  v1::FailJobRequest request;
  request.set_name(leased.job().name());
  request.set_lease_id(leased.lease().id());
  request.set_error(ErrorText(error, work_dir_.path()));
  request.set_permanent(IsPermanent(error));
  Insist([&](absl::Duration timeout) { return server_.Fail(request, timeout); }).IgnoreError();
}

template <typename Call>
absl::StatusOr<v1::Job> JobSession::Insist(const Call& call) const {
  client::RetryPolicy policy;
  policy.give_up_after = policy.give_up_unmet_after = options_.patience;
  client::Backoff backoff(policy, 0);
  while (true) {
    absl::StatusOr<v1::Job> job = call(options_.farewell_timeout);
    if (job.ok() || !client::IsPassing(job.status())) return job;
    const std::optional<absl::Duration> pause = backoff.Next(job.status(), options_.lease.clock->Now(), true);
    if (!pause) return job;
    client::Cancellation().SleepFor(*pause);
  }
}

}  // namespace ddsp::worker
