// The engines that the workers of a device step, by number. They come and go while the workers work.
//
// No lock stands between: an entry is read by whoever holds a ticket of its engine, which was submitted after Add(), so
// that its writes came along through the scheduler's mutex; and Remove() comes when no ticket is left.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/streaming/voice_engine.h"
#include "server/metrics/server_metrics.h"

namespace ddsp::server {

struct DeviceEngine {
  VoiceEngine* engine = nullptr;
  ModelMetrics* metrics = nullptr;
  absl::Duration hop;                                      // of audio
  std::vector<std::unique_ptr<StepWorkspace>> workspaces;  // of each worker
};

class EngineTable {
 public:
  // For numbers below `most`.
  explicit EngineTable(int workers, int most = 256) : workers_(workers), engines_(most) {}

  // The lowest number that is free. `engine` stays until it is removed. Errors: RESOURCE_EXHAUSTED.
  absl::StatusOr<int> Add(VoiceEngine& engine, ModelMetrics& metrics);
  // Frees the number. No stream of the engine is left, and no measurement.
  void Remove(int number);

  // `number` is of an engine whose ticket, or whose stream, the caller has in hand.
  const DeviceEngine& at(int number) const { return engines_[number]; }
  int workers() const { return workers_; }

 private:
  const int workers_;
  // As long as they will ever be: entries do not move.
  std::vector<DeviceEngine> engines_;
  Mutex mu_;  // of who adds and removes
};

}  // namespace ddsp::server
