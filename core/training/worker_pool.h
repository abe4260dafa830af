// Threads that share the shards of a training step.
#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "core/base/mutex.h"

namespace ddsp::training {

// Each worker runs LibTorch on one thread: a shard of the batch per core needs no synchronisation inside an operation.
class WorkerPool {
 public:
  explicit WorkerPool(int workers);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  int workers() const { return static_cast<int>(threads_.size()); }

  // Calls task(0) .. task(workers() - 1), each on its own worker, and returns when all have returned.
  void Run(const std::function<void(int)>& task);

 private:
  void Work(int worker);

  Mutex mu_;
  CondVar changed_;
  const std::function<void(int)>* task_ ABSL_GUARDED_BY(mu_) = nullptr;
  int64_t round_ ABSL_GUARDED_BY(mu_) = 0;
  int running_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace ddsp::training
