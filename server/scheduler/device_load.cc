#include "server/scheduler/device_load.h"

#include <algorithm>

namespace ddsp::server {
namespace {

// Until it is measured: transport and codecs of a VST voice.
constexpr double kUsualCpuPerStep = 1.6;
// Less work than this tells nothing.
constexpr double kLeastSeconds = 0.02;
constexpr double kMostCpuPerStep = 10;

}  // namespace

DeviceLoad::DeviceLoad(const Options& options, const std::vector<absl::Duration>& hops, const Clock& clock)
    : options_(options),
      clock_(clock),
      meter_(options.workers, hops),
      cpu_per_step_(kUsualCpuPerStep),
      streams_(hops.size()) {}

void DeviceLoad::AddEngine(int engine, absl::Duration hop) {
  MutexLock lock(&mu_);
  meter_.AddEngine(engine, hop);
  if (streams_.size() <= static_cast<size_t>(engine)) streams_.resize(engine + 1);
}

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

void DeviceLoad::UsedCpu(double seconds) {
  MutexLock lock(&mu_);
  const double used = seconds - cpu_seconds_, stepped = meter_.quiet_seconds() - quiet_seconds_;
  cpu_seconds_ = seconds;
  quiet_seconds_ = meter_.quiet_seconds();
  if (stepped < kLeastSeconds) return;
  cpu_per_step_ += (std::clamp(used / stepped, 1.0, kMostCpuPerStep) - cpu_per_step_) / 2;
}

double DeviceLoad::DemandBy(Costs costs, absl::Time now) const {
  std::vector<EngineDemand> engines(streams_.size());
  for (size_t i = 0; i < engines.size(); ++i) {
    const int engine = static_cast<int>(i);
    engines[i] = {.streams = streams_[i],
                  .hop = meter_.hop(engine),
                  .cost = costs == Costs::kNow ? meter_.CostNow(engine, now) : meter_.quiet_cost(engine)};
  }
  return Demand(engines, meter_.workers(), options_.batches.max_wait, options_.batches.max_streams);
}

Headroom DeviceLoad::HeadroomAt(absl::Time now) const {
  const double cpu =
      options_.cores == 0 ? 0 : DemandBy(Costs::kQuiet, now) * meter_.workers() * cpu_per_step_ / options_.cores;
  return {.busy = meter_.busy(now),
          .demand = DemandBy(Costs::kNow, now),
          .cpu = cpu,
          .device_wait = meter_.device_wait(now),
          .crew_wait = meter_.crew_wait(now)};
}

std::optional<std::string> DeviceLoad::Join(int engine) {
  const absl::Time now = clock_.Now();
  MutexLock lock(&mu_);
  const double before = DemandBy(Costs::kNow, now);
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

double DeviceLoad::strain() const {
  const absl::Time now = clock_.Now();
  MutexLock lock(&mu_);
  return meter_.strain(now);
}

Headroom DeviceLoad::headroom() const {
  const absl::Time now = clock_.Now();
  MutexLock lock(&mu_);
  return HeadroomAt(now);
}

}  // namespace ddsp::server
