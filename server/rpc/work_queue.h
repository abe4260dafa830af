// A crew for calls that compute for a while: graphs, features of whole recordings. Apart from that of live sessions,
// which must not wait for them.
#pragma once

#include <cstddef>
#include <functional>

#include "absl/status/status.h"
#include "core/base/mutex.h"
#include "server/session/crew.h"

namespace ddsp::server {

class WorkQueue {
 public:
  struct Options {
    int threads = 1;
    // Calls that wait for a thread; one more is refused.
    size_t max_waiting = 16;
  };
  // Waits for everything that was taken when it is destroyed.
  explicit WorkQueue(const Options& options);

  // Runs `work` in one of the threads. Errors: QUEUE_FULL, and `work` is not run.
  absl::Status Post(std::function<void()> work);

 private:
  const size_t max_waiting_;
  Mutex mu_;
  size_t waiting_ ABSL_GUARDED_BY(mu_) = 0;
  Crew crew_;  // last: its threads use the rest
};

}  // namespace ddsp::server
