#include "server/vital_signs.h"

#include "server/capacity.h"
#include "server/metrics/process_usage.h"

namespace ddsp::server {

void VitalSigns::Take(absl::Time now) {
  const double cpu_seconds = ReadProcessUsage().cpu_seconds;
  sources_.load.UsedCpu({.process = cpu_seconds, .machine = ReadMachineCpuSeconds(), .at = now});
  SetGauges();
  SetRates({.cpu_seconds = cpu_seconds, .calls = metrics_.calls_ended(), .failed = metrics_.calls_failed(), .at = now});
}

void VitalSigns::SetGauges() {
  const auto& [options, load, memory, roster, exporter] = sources_;
  const Headroom headroom = load.headroom();
  metrics_.SetDeviceLoad(headroom.busy, headroom.demand, absl::ToDoubleSeconds(headroom.crew_wait));
  metrics_.SetDemand(options.max_device_load, headroom.cpu);
  metrics_.SetMemory(static_cast<double>(memory.used(MemoryUse::kSessions)),
                     static_cast<double>(memory.used(MemoryUse::kCalls)), static_cast<double>(memory.limit()));
  metrics_.UpdateProcess();
  if (options.log != nullptr) metrics_.SetLogDrops(options.log->dropped());
  if (exporter != nullptr) metrics_.SetSpans(exporter->counts().sent, exporter->counts().dropped);
}

void VitalSigns::SetRates(const Totals& next) {
  const MutexLock lock(&mu_);
  if (const double seconds = absl::ToDoubleSeconds(next.at - last_.at); seconds > 0) {
    rates_.cpu = (next.cpu_seconds - last_.cpu_seconds) / seconds / CoreCount();
    rates_.calls = static_cast<double>(next.calls - last_.calls) / seconds;
    rates_.errors = static_cast<double>(next.failed - last_.failed) / seconds;
  }
  last_ = next;
}

ServerLoad VitalSigns::Now() {
  const auto& [options, load, memory, roster, exporter] = sources_;
  ServerLoad now;
  {
    const MutexLock lock(&mu_);
    now = rates_;
  }
  const SessionRoster::Ledger ledger = roster.ledger();
  now.slots = static_cast<double>(ledger.opened - ledger.closed) / options.max_sessions;
  now.device = options.max_device_load > 0 ? load.headroom().demand / options.max_device_load : 0;
  now.memory = memory.limit() > 0 ? static_cast<double>(memory.used()) / static_cast<double>(memory.limit()) : 0;
  return now;
}

}  // namespace ddsp::server
