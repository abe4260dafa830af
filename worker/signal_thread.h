#pragma once

#include <signal.h>

#include <atomic>
#include <functional>
#include <thread>

#include "absl/time/time.h"

namespace ddsp::worker {

// Takes SIGINT and SIGTERM for the process, in a thread of its own, ddsp-signal: no code runs inside a handler.
class SignalThread {
 public:
  struct Actions {
    std::function<void()> stop;  // at the first signal
    absl::Duration grace;        // after it
    // At a second signal, or after the grace. Does not return.
    std::function<void()> leave;
  };
  // Threads that start later leave the signals to this one: make it first, and Start() it when the actions are there.
  SignalThread();
  ~SignalThread() { Stop(); }
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

  void Start(Actions actions);
  // No action runs afterwards.
  void Stop();

 private:
  void Obey(const Actions& actions);

  sigset_t signals_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

}  // namespace ddsp::worker
