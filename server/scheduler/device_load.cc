#include "server/scheduler/device_load.h"

namespace ddsp::server {

DeviceLoad::DeviceLoad(const Options& options, const std::vector<absl::Duration>& hops, const Clock& clock)
    : options_(options), clock_(clock), meter_(options.workers, hops), streams_(hops.size()) {}

void DeviceLoad::SetCost(int engine, const StepCost& cost) {
  MutexLock lock(&mu_);
  meter_.SetCost(engine, cost);
}

void DeviceLoad::Stepped(const LoadMeter::Step& step) {
  MutexLock lock(&mu_);
  meter_.Stepped(step);
}

void DeviceLoad::WaitedForCrew(absl::Duration wait) {
  const absl::Time now = clock_.Now();
  MutexLock lock(&mu_);
  meter_.WaitedForCrew(wait, now);
}

double DeviceLoad::DemandAt(absl::Time now) const {
  std::vector<EngineDemand> engines(streams_.size());
  for (size_t i = 0; i < engines.size(); ++i) {
    const int engine = static_cast<int>(i);
    engines[i] = {.streams = streams_[i], .hop = meter_.hop(engine), .cost = meter_.CostNow(engine, now)};
  }
  return Demand(engines, meter_.workers(), options_.batches.max_wait, options_.batches.max_streams);
}

Headroom DeviceLoad::HeadroomAt(absl::Time now) const {
  return {.busy = meter_.busy(now),
          .demand = DemandAt(now),
          .device_wait = meter_.device_wait(now),
          .crew_wait = meter_.crew_wait(now)};
}

std::optional<std::string> DeviceLoad::Join(int engine) {
  const absl::Time now = clock_.Now();
  MutexLock lock(&mu_);
  const double before = DemandAt(now);
  ++streams_[engine];
  const Headroom with = HeadroomAt(now);
  std::optional<std::string> refusal = Refusal(with, with.demand - before, options_.admission);
  if (refusal.has_value()) --streams_[engine];
  return refusal;
}

void DeviceLoad::Leave(int engine) {
  MutexLock lock(&mu_);
  --streams_[engine];
}

TickLoad DeviceLoad::ForTick(int idle_workers) const {
  const absl::Time now = clock_.Now();
  MutexLock lock(&mu_);
  TickLoad load{.busy = meter_.busy(now), .idle_workers = idle_workers, .engines = {}};
  for (size_t i = 0; i < streams_.size(); ++i) {
    const int engine = static_cast<int>(i);
    load.engines.push_back({.hop = meter_.hop(engine), .cost = meter_.CostNow(engine, now)});
  }
  return load;
}

Headroom DeviceLoad::headroom() const {
  const absl::Time now = clock_.Now();
  MutexLock lock(&mu_);
  return HeadroomAt(now);
}

}  // namespace ddsp::server
