// The one thread that touches a device: takes work from the scheduler and steps engines with it.
#pragma once

#include <memory>
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

  // Works until the scheduler is stopped.
  void Run();
  // One piece of work.
  void Do(const DeviceWork& work);

 private:
  void Step(int engine, const std::vector<HopTicket>& hops);

  StreamScheduler& scheduler_;
  const std::vector<DeviceEngine> engines_;
  const Clock& clock_;
  std::vector<std::unique_ptr<StepWorkspace>> workspaces_;  // of engines_
  std::vector<HopRequest> requests_;                        // of the step that runs
};

// A thread that runs a worker. The scheduler must have been stopped before it is destroyed.
class DeviceThread {
 public:
  explicit DeviceThread(DeviceWorker& worker);
  ~DeviceThread() { thread_.join(); }

 private:
  std::thread thread_;
};

}  // namespace ddsp::server
