#include "worker/signal_thread.h"

#include <pthread.h>

#include <utility>

namespace ddsp::worker {

SignalThread::SignalThread() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

void SignalThread::Stop() {
  if (!thread_.joinable()) return;
  over_ = true;
  pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

void SignalThread::Start(Actions actions) {
  thread_ = std::thread([this, actions = std::move(actions)] {
    pthread_setname_np(pthread_self(), "ddsp-signal");
    Obey(actions);
  });
}

void SignalThread::Obey(const Actions& actions) {
  sigwaitinfo(&signals_, nullptr);
  if (over_) return;
  actions.stop();
  const timespec grace = absl::ToTimespec(actions.grace);
  sigtimedwait(&signals_, nullptr, &grace);
  if (!over_) actions.leave();
}

}  // namespace ddsp::worker
