#include "server/rpc/follow_job_call.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/jobs/api/job_message.h"

namespace ddsp::server {

FollowJobCall::FollowJobCall(Call& call, JobFollow follow, JobStore& jobs, WorkQueue& queue, const Clock& clock)
    : call_(call), follow_(follow), jobs_(jobs), queue_(queue), clock_(clock) {
  call_.Read();
}

absl::Status FollowJobCall::Begin(grpc::ByteBuffer* message) {
  if (message == nullptr) return MakeError(Reason::kMessageMalformed, "the call brought no message");
  if (follow_ == JobFollow::kWatch) {
    v1::WatchJobRequest request;
    if (!Parse(message, &request))
      return MakeError(Reason::kMessageMalformed, "the message is no ddsp.v1.WatchJobRequest");
    last_revision_ = request.after_revision();
    ASSIGN_OR_RETURN(id_, IdOf(request.name()));
    return absl::OkStatus();
  }
  v1::WaitJobRequest request;
  if (!Parse(message, &request))
    return MakeError(Reason::kMessageMalformed, "the message is no ddsp.v1.WaitJobRequest");
  if (request.has_timeout()) {
    const absl::Duration timeout =
        absl::Seconds(request.timeout().seconds()) + absl::Nanoseconds(request.timeout().nanos());
    deadline_ = clock_.Now() + std::max(timeout, absl::ZeroDuration());
  }
  ASSIGN_OR_RETURN(id_, IdOf(request.name()));
  return absl::OkStatus();
}

void FollowJobCall::OnRead(grpc::ByteBuffer* message) {
  const absl::Status begun = Begin(message);
  if (!begun.ok()) return End(begun);
  subscription_ = jobs_.changes().Subscribe([this](const std::string& id) { Changed(id); });
  Rest();
}

void FollowJobCall::OnWritten(bool ok) {
  if (ok && done_) return End(absl::OkStatus());
  {
    const MutexLock lock(&mu_);
    cancelled_ |= !ok;
  }
  Rest();
}

void FollowJobCall::OnCancel() {
  {
    const MutexLock lock(&mu_);
    cancelled_ = true;
  }
  Go();
}

void FollowJobCall::Changed(const std::string& id) {
  if (!id.empty() && id != id_) return;
  {
    const MutexLock lock(&mu_);
    changed_ = true;
  }
  Go();
}

void FollowJobCall::Go() {
  bool cancelled = false;
  {
    const MutexLock lock(&mu_);
    if (state_ != State::kIdle || (!changed_ && !cancelled_)) return;
    state_ = State::kBusy;
    changed_ = false;
    cancelled = cancelled_;
  }
  Next(cancelled);
}

void FollowJobCall::Rest() {
  bool cancelled = false;
  {
    const MutexLock lock(&mu_);
    if (!changed_ && !cancelled_) {
      state_ = State::kIdle;  // from here on another thread may end the call
      return;
    }
    changed_ = false;
    cancelled = cancelled_;
  }
  Next(cancelled);
}

void FollowJobCall::Next(bool cancelled) {
  if (cancelled) return End(absl::CancelledError("the call was cancelled"));
  if (const absl::Status posted = queue_.Post([this] { Act(jobs_.Get(id_)); }); !posted.ok()) End(posted);
}

void FollowJobCall::Act(const absl::StatusOr<Job>& job) {
  if (!job.ok()) return End(job.status());
  done_ = IsFinished(job->state);
  if (follow_ == JobFollow::kWait && (done_ || clock_.Now() >= deadline_)) return EndWithJob(ToMessage(*job));
  const bool is_news = follow_ == JobFollow::kWatch && job->revision > last_revision_;
  if (follow_ == JobFollow::kWatch && done_ && !is_news) return End(absl::OkStatus());
  if (!is_news) return Rest();
  const absl::StatusOr<v1::Job> message = ToMessage(*job);
  if (!message.ok()) return End(message.status());
  last_revision_ = job->revision;
  call_.Write(*message);
}

// Busy for ever: nothing is begun any more.
void FollowJobCall::End(const absl::Status& status) { call_.Finish(status); }

void FollowJobCall::EndWithJob(const absl::StatusOr<v1::Job>& job) {
  job.ok() ? call_.Finish(*job) : call_.Finish(job.status());
}

}  // namespace ddsp::server
