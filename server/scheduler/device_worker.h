// What touches a device: takes work from the scheduler and steps engines with it. Several workers may share a device,
// each on a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/metrics/server_metrics.h"
#include "server/scheduler/device_load.h"
#include "server/scheduler/executor.h"
#include "server/scheduler/stream_scheduler.h"

namespace ddsp::server {

struct DeviceEngine {
  VoiceEngine* engine = nullptr;
  ModelMetrics* metrics = nullptr;
};

// What workers share; everything outlives them.
struct DeviceServices {
  StreamScheduler* scheduler = nullptr;
  DeviceLoad* load = nullptr;
  Executor* crew = nullptr;  // takes what steps give
  const Clock* clock = nullptr;
  std::vector<DeviceEngine> engines;  // engines[i] is what tickets call engine i
};

class DeviceWorker {
 public:
  explicit DeviceWorker(const DeviceServices& services);

  // Works until the scheduler is stopped.
  void Run();
  // One piece of work.
  void Do(DeviceWork& work);
  // Tells the load what steps of every engine cost. While no stream is alive: it uses their slots.
  void MeasureCosts();

 private:
  void Step(int engine, std::vector<HopTicket>& hops);
  void HandOver(std::vector<HopTicket>& hops, absl::Time now);
  absl::Duration TimeSteps(int engine, int streams);

  const DeviceServices services_;
  std::vector<std::unique_ptr<StepWorkspace>> workspaces_;  // of the engines
  std::vector<HopRequest> requests_;                        // of the step that runs
};

// Workers, each on a thread of its own: ddsp-device-0, ... The costs have been measured when the threads start. The
// scheduler must have been stopped before this is destroyed.
class DeviceThreads {
 public:
  DeviceThreads(int threads, const DeviceServices& services);
  ~DeviceThreads();

 private:
  std::vector<std::unique_ptr<DeviceWorker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace ddsp::server
