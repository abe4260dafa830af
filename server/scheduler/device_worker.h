// The one thread that touches a device: takes work from the scheduler and steps engines with it.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "server/metrics/server_metrics.h"
#include "server/scheduler/stream_scheduler.h"

namespace ddsp::server {

struct DeviceEngine {
  VoiceEngine* engine = nullptr;
  ModelMetrics* metrics = nullptr;
};

class DeviceWorker {
 public:
  // Everything referred to must outlive the worker. `engines[i]` is what tickets call engine i.
  DeviceWorker(StreamScheduler& scheduler, std::vector<DeviceEngine> engines, const Clock& clock);
  // The scheduler must have been stopped.
  ~DeviceWorker();

 private:
  void Run();
  void Do(const DeviceWork& work);
  void Reset(VoiceEngine& engine, const ResetTicket& ticket);
  void Step(const DeviceEngine& device, const std::vector<HopTicket>& hops);

  StreamScheduler& scheduler_;
  const std::vector<DeviceEngine> engines_;
  const Clock& clock_;
  std::vector<HopRequest> requests_;  // of the step that runs
  std::thread thread_;                // last: starts when the rest is there
};

}  // namespace ddsp::server
