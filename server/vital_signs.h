// How a server is: what it takes of its machine and of its bounds, for gauges, ORCA reports and whoever asks.
#pragma once

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "server/logs/log.h"
#include "server/memory/memory_budget.h"
#include "server/metrics/server_metrics.h"
#include "server/rpc/orca_service.h"
#include "server/scheduler/device_load.h"
#include "server/server_options.h"
#include "server/session/session_roster.h"
#include "server/tracing/otlp_exporter.h"

namespace ddsp::server {

class VitalSigns {
 public:
  struct Sources {
    const ServerOptions& options;
    DeviceLoad& load;
    const MemoryBudget& memory;
    const SessionRoster& roster;
    const OtlpExporter* exporter;  // null: nothing is traced
  };
  // All of it outlives this.
  VitalSigns(const Sources& sources, ServerMetrics& metrics) : sources_(sources), metrics_(metrics) {}

  // Measures what happens often since the last time, and sets the gauges. Once a second, by one thread.
  void Take(absl::Time now);

  // Shares of now. Thread-safe.
  ServerLoad Now();

 private:
  // All that was until an instant.
  struct Totals {
    double cpu_seconds = 0;
    int64_t calls = 0, failed = 0;
    absl::Time at = absl::InfinitePast();
  };
  void SetGauges();
  void SetRates(const Totals& next);

  const Sources sources_;
  ServerMetrics& metrics_;
  Mutex mu_;
  Totals last_ ABSL_GUARDED_BY(mu_);
  ServerLoad rates_ ABSL_GUARDED_BY(mu_);  // between the last two takes: cpu, calls, errors
};

}  // namespace ddsp::server
