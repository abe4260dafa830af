#include "server/scheduler/stream_scheduler.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace ddsp::server {

StreamScheduler::StreamScheduler(const BatchFormer::Options& options, const Clock& clock)
    : former_(options), clock_(clock) {}

void StreamScheduler::Submit(ResetTicket ticket) {
  MutexLock lock(&mu_);
  if (stopped_) return;
  resets_.push_back(std::move(ticket));
  changed_.NotifyOne();
}

void StreamScheduler::Submit(HopTicket ticket) {
  MutexLock lock(&mu_);
  if (stopped_) return;
  ready_.push_back(ticket.ready);
  hops_.push_back(std::move(ticket));
  changed_.NotifyOne();
}

std::optional<DeviceWork> StreamScheduler::Next() {
  MutexLock lock(&mu_);
  while (!stopped_) {
    if (std::optional<DeviceWork> work = Choose()) return work;
    if (ready_.empty()) {
      changed_.Wait(&mu_);
    } else {
      changed_.WaitFor(&mu_, absl::ToChronoNanoseconds(former_.options().max_wait));
    }
  }
  return std::nullopt;
}

std::optional<DeviceWork> StreamScheduler::Choose() {
  if (!resets_.empty()) {
    DeviceWork work{.engine = resets_.front().engine, .resets = {}, .hops = {}};
    work.resets.push_back(std::move(resets_.front()));
    resets_.pop_front();
    return work;
  }
  const std::optional<BatchPlan> plan = former_.Next(ready_, clock_.Now());
  if (!plan.has_value()) return std::nullopt;
  DeviceWork work{.engine = plan->engine, .resets = {}, .hops = {}};
  work.hops.reserve(plan->members.size());
  for (const size_t member : plan->members) work.hops.push_back(std::move(hops_[member]));
  // What was taken left its stream pointer; what stays moves up, in order.
  std::erase_if(hops_, [](const HopTicket& ticket) { return ticket.stream == nullptr; });
  ready_.clear();
  for (const HopTicket& ticket : hops_) ready_.push_back(ticket.ready);
  return work;
}

void StreamScheduler::Stop() {
  std::deque<ResetTicket> resets;
  std::vector<HopTicket> hops;
  MutexLock lock(&mu_);
  stopped_ = true;
  // Streams are let go outside: their end may come back here.
  resets.swap(resets_);
  hops.swap(hops_);
  ready_.clear();
  changed_.NotifyAll();
}

int StreamScheduler::waiting() const {
  MutexLock lock(&mu_);
  return static_cast<int>(resets_.size() + hops_.size());
}

}  // namespace ddsp::server
