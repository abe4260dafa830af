// Who is ready and who waits: the queue between sessions and the device worker.
//
// A stream has at most one ticket here at a time, so the queue is bounded by the slots of the engines.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/streaming/voice_engine.h"
#include "server/scheduler/batch_former.h"

namespace ddsp::server {

struct HopTiming {
  absl::Duration queued;    // from ready to the start of the step
  absl::Duration computed;  // of the step
};

// A stream as the device sees it. Called on the device's thread: must not block.
class ScheduledStream {
 public:
  virtual ~ScheduledStream() = default;
  virtual void ResetDone(const absl::Status& status) = 0;
  virtual void HopDone(const absl::Status& status, const HopTiming& timing) = 0;
};

struct ResetTicket {
  int engine = 0;
  int slot = 0;
  StreamSettings settings;
  std::shared_ptr<ScheduledStream> stream;
};

// What `request` points at stays as it is until HopDone().
struct HopTicket {
  ReadyHop ready;
  HopRequest request;
  std::shared_ptr<ScheduledStream> stream;
};

// Work for one engine: either of the two is empty.
struct DeviceWork {
  int engine = 0;
  std::vector<ResetTicket> resets;
  std::vector<HopTicket> hops;
};

class StreamScheduler {
 public:
  // `clock` must outlive the scheduler.
  StreamScheduler(const BatchFormer::Options& options, const Clock& clock);

  void Submit(ResetTicket ticket);
  void Submit(HopTicket ticket);

  // Waits for work; nullopt after Stop(). Resets come first. Called by one device worker.
  std::optional<DeviceWork> Next();
  // Tickets that were not taken are dropped.
  void Stop();

  // Tickets that wait.
  int waiting() const;

 private:
  std::optional<DeviceWork> Choose() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const BatchFormer former_;
  const Clock& clock_;

  mutable Mutex mu_;
  CondVar changed_;
  std::deque<ResetTicket> resets_ ABSL_GUARDED_BY(mu_);
  std::vector<HopTicket> hops_ ABSL_GUARDED_BY(mu_);
  std::vector<ReadyHop> ready_ ABSL_GUARDED_BY(mu_);  // of hops_, in its order
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ddsp::server
