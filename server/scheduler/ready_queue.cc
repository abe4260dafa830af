#include "server/scheduler/ready_queue.h"

#include <utility>

namespace ddsp::server {

void ReadyQueue::Add(HopTicket ticket) {
  ready_.push_back(ticket.ready);
  hops_.push_back(std::move(ticket));
}

absl::Time ReadyQueue::Take(const TickLoad& load, absl::Time now, DeviceWork* work) {
  work->resets.clear();
  work->hops.clear();
  if (!resets_.empty()) {
    work->engine = resets_.front().engine;
    work->resets.push_back(std::move(resets_.front()));
    resets_.pop_front();
    return now;
  }
  const BatchDecision decision = former_.Next(ready_, load, now);
  if (!decision.plan.has_value()) return decision.wait_until;
  work->engine = decision.plan->engine;
  for (const size_t member : decision.plan->members) work->hops.push_back(std::move(hops_[member]));
  // What was taken left its stream pointer; what stays moves up, in order.
  std::erase_if(hops_, [](const HopTicket& ticket) { return ticket.stream == nullptr; });
  ready_.clear();
  for (const HopTicket& ticket : hops_) ready_.push_back(ticket.ready);
  return now;
}

void ReadyQueue::Swap(ReadyQueue& other) {
  resets_.swap(other.resets_);
  hops_.swap(other.hops_);
  ready_.swap(other.ready_);
}

}  // namespace ddsp::server
