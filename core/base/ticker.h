// A thread that does something again and again.
#pragma once

#include <pthread.h>

#include <functional>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "core/base/mutex.h"

namespace ddsp {

// Runs `work` every `period` until destroyed, first after one period. Destroying it waits for work under way.
class Ticker {
 public:
  // `name` is the thread's, at most 15 characters.
  Ticker(const char* name, absl::Duration period, std::function<void()> work)
      : period_(period), work_(std::move(work)), thread_([this] { Run(); }) {
    pthread_setname_np(thread_.native_handle(), name);
  }
  ~Ticker() {
    {
      MutexLock lock(&mu_);
      stopped_ = true;
      changed_.NotifyAll();
    }
    thread_.join();
  }

 private:
  bool Wait() {
    MutexLock lock(&mu_);
    if (!stopped_) changed_.WaitFor(&mu_, absl::ToChronoNanoseconds(period_));
    return !stopped_;
  }
  void Run() {
    while (Wait()) work_();
  }

  const absl::Duration period_;
  const std::function<void()> work_;
  Mutex mu_;
  CondVar changed_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace ddsp
