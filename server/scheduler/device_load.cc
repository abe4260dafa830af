#include "server/scheduler/device_load.h"

#include <algorithm>
#include <utility>

namespace ddsp::server {
namespace {

// Until it is measured: transport and codecs of a VST voice.
constexpr double kUsualCpuPerStep = 1.6;
// Less work than this tells nothing.
constexpr double kLeastSeconds = 0.02;
// What a quiet device needs for a step was measured in a moment, and may have been half or twice the truth.
constexpr double kLeastCpuPerStep = 0.3, kMostCpuPerStep = 10;
// Of the cores, that other programs do not take from this one in the long run.
constexpr double kFairShare = 0.5;

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

void DeviceLoad::UsedCpu(const CpuTimes& times) {
  MutexLock lock(&mu_);
  const CpuTimes before = std::exchange(cpu_times_, times);
  const double stepped = meter_.quiet_seconds() - quiet_seconds_, used = times.process - before.process;
  quiet_seconds_ = meter_.quiet_seconds();
  promised_before_ = std::exchange(promised_now_, 0);
  if (stepped >= kLeastSeconds) {
    cpu_per_step_ += (std::clamp(used / stepped, kLeastCpuPerStep, kMostCpuPerStep) - cpu_per_step_) / 2;
  }
  const double passed = absl::ToDoubleSeconds(times.at - before.at);
  if (before.machine <= 0 || !(passed > 0)) return;
  others_ += (std::max(0.0, (times.machine - before.machine - used) / passed) - others_) / 2;
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

double DeviceLoad::CpuDemand(absl::Time now) const {
  if (options_.cores == 0) return 0;
  // Whoever else works here, the system gives everybody a part.
  const double left = std::max(options_.cores - others_, options_.cores * kFairShare);
  return DemandBy(Costs::kQuiet, now) * meter_.workers() * cpu_per_step_ / left;
}

Headroom DeviceLoad::HeadroomAt(absl::Time now) const {
  return {.busy = meter_.busy(now),
          .demand = DemandBy(Costs::kNow, now),
          .cpu = CpuDemand(now),
          .unproven = promised_now_ + promised_before_,
          .device_wait = meter_.device_wait(now),
          .crew_wait = meter_.crew_wait(now),
          .late = meter_.late_share(now),
          .lag = meter_.lag(now)};
}

std::optional<std::string> DeviceLoad::Join(int engine, bool moved) {
  const absl::Time now = clock_.Now();
  MutexLock lock(&mu_);
  const double demand_before = DemandBy(Costs::kNow, now), cpu_before = CpuDemand(now);
  ++streams_[engine];
  Headroom with = HeadroomAt(now);
  const double cpu_of_one = with.cpu - cpu_before;
  with.unproven = moved ? 0 : with.unproven + cpu_of_one;
  std::optional<std::string> refusal = Refusal(with, with.demand - demand_before, options_.admission);
  if (refusal.has_value()) {
    --streams_[engine];
  } else if (!moved) {
    promised_now_ += cpu_of_one;
  }
  return refusal;
}

void DeviceLoad::Leave(int engine) {
  const absl::Time now = clock_.Now();
  MutexLock lock(&mu_);
  const double cpu_before = CpuDemand(now);
  --streams_[engine];
  // Whoever it was makes room for a stream that nobody has seen playing yet.
  double freed = cpu_before - CpuDemand(now);
  for (double* promised : {&promised_now_, &promised_before_}) {
    const double part = std::min(*promised, freed);
    *promised -= part;
    freed -= part;
  }
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
