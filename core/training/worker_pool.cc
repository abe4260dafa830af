#include "core/training/worker_pool.h"

#include <ATen/Parallel.h>

namespace ddsp::training {

WorkerPool::WorkerPool(int workers) {
  for (int worker = 0; worker < workers; ++worker) threads_.emplace_back([this, worker] { Work(worker); });
}

WorkerPool::~WorkerPool() {
  {
    MutexLock lock(&mu_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::Run(const std::function<void(int)>& task) {
  MutexLock lock(&mu_);
  task_ = &task;
  running_ = workers();
  ++round_;
  changed_.NotifyAll();
  while (running_ > 0) changed_.Wait(&mu_);
}

void WorkerPool::Work(int worker) {
  at::set_num_threads(1);
  int64_t done = 0;
  while (true) {
    const std::function<void(int)>* task = nullptr;
    {
      MutexLock lock(&mu_);
      while (round_ == done && !stopping_) changed_.Wait(&mu_);
      if (stopping_) return;
      done = round_;
      task = task_;
    }
    (*task)(worker);
    MutexLock lock(&mu_);
    if (--running_ == 0) changed_.NotifyAll();
  }
}

}  // namespace ddsp::training
