#include "server/rpc/work_queue.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);

}  // namespace

WorkQueue::WorkQueue(const Options& options) : max_waiting_(options.max_waiting), crew_(options.threads, "ddsp-work") {}

absl::Status WorkQueue::Post(std::function<void()> work) {
  {
    MutexLock lock(&mu_);
    if (waiting_ >= max_waiting_) {
      return WithRetry(MakeError(Reason::kQueueFull, absl::StrCat(waiting_, " calls wait for a thread already"),
                                 {{"waiting", absl::StrCat(waiting_)}}),
                       kRetryDelay);
    }
    ++waiting_;
  }
  crew_.Post([this, work = std::move(work)] {
    {
      MutexLock lock(&mu_);
      --waiting_;
    }
    work();
  });
  return absl::OkStatus();
}

}  // namespace ddsp::server
