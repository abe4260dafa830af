// What touches a device: takes work from the scheduler and steps engines with it. Several workers may share a device,
// each on a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/scheduler/device_load.h"
#include "server/scheduler/engine_table.h"
#include "server/scheduler/executor.h"
#include "server/scheduler/stream_scheduler.h"

namespace ddsp::server {

// What workers share; everything outlives them.
struct DeviceServices {
  StreamScheduler* scheduler = nullptr;
  DeviceLoad* load = nullptr;
  Executor* crew = nullptr;  // takes what steps give
  const Clock* clock = nullptr;
  const EngineTable* engines = nullptr;  // by the numbers of tickets
};

class DeviceWorker {
 public:
  // `number`, from 0, tells workers that share services apart.
  explicit DeviceWorker(const DeviceServices& services, int number = 0) : services_(services), number_(number) {}

  // Works until the scheduler is stopped.
  void Run();
  // One piece of work.
  void Do(DeviceWork& work);

 private:
  void Step(int engine, std::vector<HopTicket>& hops);
  void HandOver(std::vector<HopTicket>& hops, absl::Time now);

  const DeviceServices services_;
  const int number_;
  std::vector<HopRequest> requests_;  // of the step that runs
};

// Workers, each on a thread of its own: ddsp-device-0, ... The engine table has workspaces for as many. The scheduler
// must have been stopped before this is destroyed.
class DeviceThreads {
 public:
  DeviceThreads(int threads, const DeviceServices& services);
  ~DeviceThreads();

 private:
  std::vector<std::unique_ptr<DeviceWorker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace ddsp::server
