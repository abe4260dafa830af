// Makes room for a voice at the devices, and clears it away.
#pragma once

#include "absl/status/status.h"
#include "core/base/clock.h"
#include "server/registry/hosted_voice.h"
#include "server/scheduler/device_load.h"
#include "server/scheduler/engine_table.h"

namespace ddsp::server {

// Thread-safe.
class Hosting {
 public:
  // All outlive it.
  Hosting(EngineTable& engines, DeviceLoad& load, ServerMetrics& metrics, const Clock& clock)
      : engines_(engines), load_(load), metrics_(metrics), clock_(clock) {}

  // Gives the voice its number and its metrics; sessions may be opened on it then. Errors: RESOURCE_EXHAUSTED.
  absl::Status Begin(HostedVoice& voice);
  // Tells the load what steps of the voice cost. No session is open on it.
  void Measure(HostedVoice& voice);
  // Takes both back, and frees the engine. The voice is closed and nobody is in.
  void End(HostedVoice& voice);

 private:
  void CountSlots(HostedVoice& voice, int sign);

  EngineTable& engines_;
  DeviceLoad& load_;
  ServerMetrics& metrics_;
  const Clock& clock_;
  Mutex mu_;
  double state_bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ddsp::server
