#include "server/capacity.h"

#include <algorithm>
#include <thread>

#include "core/cuda/engine_device.h"

namespace ddsp::server {
namespace {

// Streams that may wait with their config, and probes, beside the sessions of one connection.
constexpr int kSpareStreams = 16, kLeastStreams = 100;

}  // namespace

int CoreCount() { return static_cast<int>(std::thread::hardware_concurrency()); }

bool OnGpu(const ServerOptions& options) {
  const absl::StatusOr<EngineDevice> device = EngineDevice::Parse(options.device);
  return device.ok() && device->is_gpu();
}

int DeviceThreadCount(const ServerOptions& options) { return OnGpu(options) ? 1 : options.model_threads(); }

int CrewThreadCount(const ServerOptions& options) {
  return options.crew_threads > 0 ? options.crew_threads : std::max(1, CoreCount() - options.model_threads());
}

BatchFormer::Options BatchOptionsOf(const ServerOptions& options) {
  const int streams = OnGpu(options) ? std::max(options.max_batch, options.max_sessions) : options.max_batch;
  return {.max_streams = static_cast<size_t>(streams), .max_wait = options.max_batch_wait};
}

int StreamsPerConnection(const ServerOptions& options) {
  if (options.max_streams_per_connection > 0) return options.max_streams_per_connection;
  return std::max(kLeastStreams, options.max_sessions + kSpareStreams);
}

}  // namespace ddsp::server
