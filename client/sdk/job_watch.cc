#include <optional>
#include <utility>

#include "client/sdk/jobs_caller.h"
#include "client/sdk/jobs_client.h"

namespace ddsp::client {

class JobWatch::Stream {
 public:
  Stream(JobsCaller& caller, const v1::WatchJobRequest& request)
      : caller_(caller),
        call_(caller.options().cancellation, &context_),
        reader_(caller.stub().Watch(&context_, request)) {}
  // A call that is given up has to be ended, or its reader waits.
  ~Stream() {
    if (ended_) return;
    context_.TryCancel();
    reader_->Finish();
  }

  bool Read(v1::Job* job) { return reader_->Read(job); }
  absl::Status Finish() {
    ended_ = true;
    return caller_.Judge(reader_->Finish());
  }

 private:
  JobsCaller& caller_;
  grpc::ClientContext context_;
  const Cancellation::Call call_;
  const std::unique_ptr<grpc::ClientReaderInterface<v1::Job>> reader_;
  bool ended_ = false;
};

JobWatch::JobWatch(JobsCaller& caller, std::string name) : caller_(caller), name_(std::move(name)) {}
JobWatch::~JobWatch() = default;

absl::StatusOr<std::optional<v1::Job>> JobWatch::Next() {
  // It is Get() that gives up: how long a stream without a word was connected, nobody knows.
  RetryPolicy patient = caller_.options().retry;
  patient.give_up_after = patient.give_up_unmet_after = absl::InfiniteDuration();
  Backoff backoff(patient, caller_.options().seed);
  v1::Job job;
  while (!done_) {
    if (stream_ == nullptr) {
      v1::GetJobRequest get;
      get.set_name(name_);
      ASSIGN_OR_RETURN(job, caller_.Call(&v1::Jobs::StubInterface::Get, get));
      v1::WatchJobRequest request;
      request.set_name(name_);
      request.set_after_revision(job.revision());
      if (!job.done()) stream_ = std::make_unique<Stream>(caller_, request);
      if (job.revision() > revision_ || job.done()) return Tell(std::move(job));
    }
    if (stream_->Read(&job)) return Tell(std::move(job));
    const absl::Status end = stream_->Finish();
    stream_.reset();
    if (!end.ok() && !IsPassing(end)) return end;
    RETURN_IF_ERROR(caller_.Pause(end.ok() ? absl::UnavailableError("the server ended the watch") : end, &backoff));
  }
  return std::nullopt;
}

v1::Job JobWatch::Tell(v1::Job job) {
  revision_ = job.revision();
  done_ = job.done();
  if (done_) stream_.reset();
  return job;
}

}  // namespace ddsp::client
