#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "ddsp/v1/jobs.pb.h"
#include "server/jobs/job_store.h"
#include "server/rpc/call.h"
#include "server/rpc/work_queue.h"

namespace ddsp::server {

// kWait answers with the job when it is done (or the timeout is over), kWatch with every change until it is.
enum class JobFollow { kWait, kWatch };

// Jobs.Wait and Jobs.Watch. Reads the job when the store says that it has changed, on a queue and not on the thread
// that changed it. One thing is under way at a time: a read, a write, or nothing; who does it alone may end the call.
class FollowJobCall : public CallHandler {
 public:
  FollowJobCall(Call& call, JobFollow follow, JobStore& jobs, WorkQueue& queue, const Clock& clock);

  void OnRead(grpc::ByteBuffer* message) override;
  void OnWritten(bool ok) override;
  void OnCancel() override;

 private:
  enum class State { kIdle, kBusy };

  absl::Status Begin(grpc::ByteBuffer* message);
  void Changed(const std::string& id);
  // Whoever finds the call idle, and something to do, takes it from there.
  void Go();
  // Whoever had it goes on where there is more to do, else leaves it idle; the last thing done here.
  void Rest();
  // Reads the job, or ends a call that was cancelled.
  void Next(bool cancelled);
  // What to do with the job that was read.
  void Act(const absl::StatusOr<Job>& job);
  // The last thing done here: the call may be gone after it.
  void End(const absl::Status& status);
  void EndWithJob(const absl::StatusOr<v1::Job>& job);

  Call& call_;
  const JobFollow follow_;
  JobStore& jobs_;
  WorkQueue& queue_;
  const Clock& clock_;
  // Set before the first read, then constant.
  std::string id_;
  absl::Time deadline_ = absl::InfiniteFuture();
  int64_t last_revision_ = 0;  // used by what is under way
  bool done_ = false;          // likewise: what is being written is the last

  Mutex mu_;
  State state_ ABSL_GUARDED_BY(mu_) = State::kBusy;  // until the request is here
  bool changed_ ABSL_GUARDED_BY(mu_) = true;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<ChangeHub::Subscription> subscription_;  // last: gone before the rest
};

}  // namespace ddsp::server
