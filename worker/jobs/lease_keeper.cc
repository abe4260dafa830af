#include "worker/jobs/lease_keeper.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "client/sdk/error.h"
#include "client/sdk/jobs_client.h"

namespace ddsp::worker {
namespace {

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

LeaseTimer::Terms TermsOf(const v1::Lease& lease) {
  LeaseTimer::Terms terms{ToDuration(lease.duration()), ToDuration(lease.heartbeat())};
  // A server that says nothing gets its own defaults.
  if (terms.lease <= absl::ZeroDuration()) terms.lease = absl::Seconds(10);
  if (terms.heartbeat <= absl::ZeroDuration() || terms.heartbeat >= terms.lease) terms.heartbeat = terms.lease / 5;
  return terms;
}

bool IsJobGone(const absl::Status& error) {
  const auto details = client::DetailsOf(error);
  return details && details->reason == "JOB_NOT_FOUND";
}

bool IsRefusal(const absl::Status& error) {
  return absl::IsInvalidArgument(error) || absl::IsNotFound(error) || absl::IsFailedPrecondition(error) ||
         absl::IsOutOfRange(error);
}

}  // namespace

LeaseKeeper::LeaseKeeper(JobServer& server, const v1::LeasedJob& leased, StopToken& stop, Options options)
    : server_(server),
      job_(leased.job().name()),
      lease_id_(leased.lease().id()),
      stop_(stop),
      options_(std::move(options)),
      news_(leased.job().progress()),
      timer_(TermsOf(leased.lease()), options_.claimed) {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "ddsp-lease");
    Work();
  });
}

LeaseKeeper::~LeaseKeeper() {
  {
    const MutexLock lock(&mu_);
    closing_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void LeaseKeeper::SetProgress(int64_t done, int64_t total) {
  const MutexLock lock(&mu_);
  news_.SetProgress(done, total);
}

void LeaseKeeper::SetMetric(const std::string& name, double value) {
  const MutexLock lock(&mu_);
  news_.SetMetric(name, value);
}

void LeaseKeeper::SetCheckpoint(int64_t step, const std::string& sha256) {
  const MutexLock lock(&mu_);
  news_.SetCheckpoint(step, sha256);
}

void LeaseKeeper::AddOutput(const std::string& sha256) {
  const MutexLock lock(&mu_);
  news_.AddOutput(sha256);
}

void LeaseKeeper::AddExample(const v1::JobFile& file) {
  const MutexLock lock(&mu_);
  news_.AddExample(file);
}

void LeaseKeeper::Say(const std::string& line) {
  const MutexLock lock(&mu_);
  AddLine(line);
}

void LeaseKeeper::AddLine(const std::string& line) {
  news_.AddLine(line);
  if (options_.log) options_.log(absl::StrCat(job_, ": ", line));
}

bool LeaseKeeper::Flush(absl::Duration timeout) {
  const absl::Time end = options_.clock->Now() + timeout;
  const MutexLock lock(&mu_);
  hurry_ = true;
  changed_.NotifyAll();
  while (!news_.empty() && !lost_) {
    const absl::Duration left = end - options_.clock->Now();
    if (left <= absl::ZeroDuration()) break;
    changed_.WaitFor(&mu_, absl::ToChronoNanoseconds(left));
  }
  hurry_ = false;
  return news_.empty() && !lost_;
}

v1::JobProgress LeaseKeeper::progress() const {
  const MutexLock lock(&mu_);
  return news_.progress();
}

void LeaseKeeper::Work() {
  const MutexLock lock(&mu_);
  while (!closing_ && !lost_) {
    const absl::Time now = options_.clock->Now();
    if (timer_.Over(now)) {
      Lose("the server has not answered for as long as the lease lasts");
    } else if (now >= timer_.next() || (hurry_ && !news_.empty())) {
      Beat();
    } else {
      changed_.WaitFor(&mu_, absl::ToChronoNanoseconds(std::min(timer_.next(), timer_.end()) - now));
    }
  }
}

void LeaseKeeper::Beat() {
  v1::HeartbeatRequest request;
  request.set_name(job_);
  request.set_lease_id(lease_id_);
  news_.Tell(&request);
  const absl::Time sent = options_.clock->Now();
  const absl::Duration timeout = timer_.CallTimeout(sent);
  mu_.Unlock();
  if (options_.pulse) options_.pulse();
  const absl::StatusOr<v1::HeartbeatResponse> response = server_.Heartbeat(request, timeout);
  mu_.Lock();
  Answer(response, sent);
  changed_.NotifyAll();
}

void LeaseKeeper::Answer(const absl::StatusOr<v1::HeartbeatResponse>& response, absl::Time sent) {
  if (response.ok()) {
    timer_.Answered(sent);
    news_.Heard();
    if (response->cancel_requested() && stop_.reason() < StopReason::kCancelled) {
      AddLine("cancelled");
      stop_.Ask(StopReason::kCancelled);
    }
    return;
  }
  const absl::Status& error = response.status();
  if (client::IsLeaseLost(error) || IsJobGone(error)) return Lose(client::Describe(error));
  timer_.Missed(options_.clock->Now());
  hurry_ = false;  // whoever waits in Flush() does so until the next one
  if (!IsRefusal(error)) return;
  // The server understood and refused, a checkpoint that it has not for example. Said again it would be refused again,
  // and without heartbeats the job would be lost for nothing.
  news_.Refused();
  AddLine(absl::StrCat("the server refused a report: ", client::Describe(error)));
}

void LeaseKeeper::Lose(const std::string& why) {
  lost_ = true;
  AddLine(absl::StrCat("the lease is lost: ", why));
  stop_.Ask(StopReason::kLeaseLost);
  changed_.NotifyAll();
}

}  // namespace ddsp::worker
