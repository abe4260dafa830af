#include "server/scheduler/stream_scheduler.h"

#include <chrono>
#include <utility>

namespace ddsp::server {

StreamScheduler::StreamScheduler(const BatchFormer::Options& options, const DeviceLoad& load, const Clock& clock)
    : load_(load), clock_(clock), queue_(options) {}

void StreamScheduler::Submit(ResetTicket ticket) {
  MutexLock lock(&mu_);
  if (stopped_) return;
  queue_.Add(std::move(ticket));
  WakeFor(absl::InfinitePast());
}

void StreamScheduler::Submit(HopTicket ticket) {
  MutexLock lock(&mu_);
  if (stopped_) return;
  const absl::Time latest = queue_.LatestStart(ticket.ready);
  queue_.Add(std::move(ticket));
  WakeFor(latest);
}

void StreamScheduler::WakeFor(absl::Time latest) {
  if (!led_) {
    WakeFollower();
  } else if (!leader_called_ && (latest < lead_until_ || queue_.full())) {
    leader_called_ = true;
    leader_.NotifyOne();
  }
}

void StreamScheduler::WakeFollower() {
  if (waiting_followers_ == 0 || follower_called_) return;
  follower_called_ = true;
  followers_.NotifyOne();
}

bool StreamScheduler::Next(DeviceWork* work) {
  work->hops.clear();  // lets go of streams, whose end may come back here
  work->resets.clear();
  MutexLock lock(&mu_);
  while (!stopped_) {
    if (led_) {
      ++waiting_followers_;
      followers_.Wait(&mu_);
      --waiting_followers_;
      follower_called_ = false;
      continue;
    }
    const absl::Time now = clock_.Now();
    const absl::Time then = queue_.Take(load_.ForTick(1 + waiting_followers_), now, work);
    if (!work->hops.empty() || !work->resets.empty()) {
      if (queue_.size() > 0) WakeFollower();
      return true;
    }
    Lead(then, now);
  }
  return false;
}

void StreamScheduler::Lead(absl::Time until, absl::Time now) {
  led_ = true;
  lead_until_ = until;
  if (until == absl::InfiniteFuture()) {
    leader_.Wait(&mu_);
  } else {
    leader_.WaitFor(&mu_, absl::ToChronoNanoseconds(until - now));
  }
  led_ = leader_called_ = false;
}

void StreamScheduler::Stop() {
  ReadyQueue dropped{{}};
  MutexLock lock(&mu_);
  stopped_ = true;
  // Streams are let go outside: their end may come back here.
  dropped.Swap(queue_);
  leader_.NotifyAll();
  followers_.NotifyAll();
}

int StreamScheduler::waiting() const {
  MutexLock lock(&mu_);
  return static_cast<int>(queue_.size());
}

}  // namespace ddsp::server
