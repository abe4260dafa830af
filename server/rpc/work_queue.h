// Threads for calls that compute for a while: graphs, features of whole recordings. Apart from those of live sessions,
// which must not wait for them.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "core/base/mutex.h"

namespace ddsp::server {

class WorkQueue {
 public:
  struct Options {
    int threads = 1;
    // Calls that wait for a thread; one more is refused.
    size_t max_waiting = 16;
  };
  explicit WorkQueue(const Options& options);
  // Waits for everything that was taken.
  ~WorkQueue();

  // Runs `work` in a thread of its own. Errors: QUEUE_FULL, and `work` is not run.
  absl::Status Post(std::function<void()> work);

 private:
  void Run();

  const Options options_;
  Mutex mu_;
  CondVar changed_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;  // last: they start when the rest is there
};

}  // namespace ddsp::server
