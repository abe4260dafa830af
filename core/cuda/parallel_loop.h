// A few threads that share the turns of a loop: features for thousands of streams, tick after tick.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/mutex.h"

namespace ddsp::cuda {

class ParallelLoop {
 public:
  // The caller of ForEach() is one of the `threads`, 1 or more.
  explicit ParallelLoop(int threads);
  ~ParallelLoop();
  ParallelLoop(const ParallelLoop&) = delete;
  ParallelLoop& operator=(const ParallelLoop&) = delete;

  // Calls body(i) for 0 <= i < count, some at the same time, and returns when all have returned. One caller at a time.
  void ForEach(int count, absl::FunctionRef<void(int)> body);

 private:
  struct Round {
    int count;
    absl::FunctionRef<void(int)> body;
    std::atomic<int> next = 0;
  };

  void Work();
  static void TakeTurns(Round& round);

  Mutex mu_;
  CondVar changed_;
  Round* round_ ABSL_GUARDED_BY(mu_) = nullptr;
  int64_t rounds_ ABSL_GUARDED_BY(mu_) = 0;
  int working_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;  // last: they use the rest
};

}  // namespace ddsp::cuda
