#include "server/rpc/work_queue.h"

#include <pthread.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);

}  // namespace

WorkQueue::WorkQueue(const Options& options) : options_(options) {
  for (int i = 0; i < options.threads; ++i) {
    threads_.emplace_back([this] { Run(); });
    pthread_setname_np(threads_.back().native_handle(), "ddsp-work");
  }
}

WorkQueue::~WorkQueue() {
  {
    MutexLock lock(&mu_);
    stopped_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

absl::Status WorkQueue::Post(std::function<void()> work) {
  MutexLock lock(&mu_);
  if (waiting_.size() >= options_.max_waiting) {
    return WithRetry(MakeError(Reason::kQueueFull, absl::StrCat(waiting_.size(), " calls wait for a thread already"),
                               {{"waiting", absl::StrCat(waiting_.size())}}),
                     kRetryDelay);
  }
  waiting_.push_back(std::move(work));
  changed_.NotifyAll();
  return absl::OkStatus();
}

void WorkQueue::Run() {
  while (true) {
    std::function<void()> work;
    {
      MutexLock lock(&mu_);
      while (waiting_.empty() && !stopped_) changed_.Wait(&mu_);
      if (waiting_.empty()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace ddsp::server
