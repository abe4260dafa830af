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
  // The caller of Run() is one of the `threads`, 1 or more.
  explicit ParallelLoop(int threads);
  ~ParallelLoop();
  ParallelLoop(const ParallelLoop&) = delete;
  ParallelLoop& operator=(const ParallelLoop&) = delete;

  int threads() const { return static_cast<int>(threads_.size()) + 1; }

  // Turns begin .. end - 1, taken by one of the threads, counted from 0.
  struct Turns {
    int begin, end, thread;
  };
  // At most so many turns are taken at a time: enough for features to be extracted together.
  static constexpr int kMaxTurns = 16;

  // Shares the turns 0 .. count - 1 out to calls of body(turns), some at the same time, and returns when all have
  // returned. One caller at a time.
  void Run(int count, absl::FunctionRef<void(const Turns&)> body);

 private:
  struct Round {
    int count;
    absl::FunctionRef<void(const Turns&)> body;
    std::atomic<int> next = 0;
  };

  void Work(int thread);
  static void TakeTurns(Round& round, int thread);

  Mutex mu_;
  CondVar changed_;
  Round* round_ ABSL_GUARDED_BY(mu_) = nullptr;
  int64_t rounds_ ABSL_GUARDED_BY(mu_) = 0;
  int working_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;  // last: they use the rest
};

}  // namespace ddsp::cuda
