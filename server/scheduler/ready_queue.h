// The tickets that wait for a device, and which of them go together now. Pure: no lock, no thread, times are given.
//
// A stream has at most one ticket here at a time, so the queue is bounded by the slots of the engines.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "core/streaming/voice_engine.h"
#include "server/scheduler/batch_former.h"

namespace ddsp::server {

struct HopTiming {
  absl::Duration queued;    // from ready to the start of the step
  absl::Duration computed;  // of the step
};

// A stream as the device sees it.
class ScheduledStream {
 public:
  virtual ~ScheduledStream() = default;
  // On a thread of the device: these must not block.
  virtual void ResetDone(const absl::Status& status) = 0;
  virtual void HopDone(const absl::Status& status, const HopTiming& timing) = 0;
  // On a thread of the crew, once after each HopDone.
  virtual void AfterHop() = 0;
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

class ReadyQueue {
 public:
  explicit ReadyQueue(const BatchFormer::Options& options) : former_(options) {}

  void Add(ResetTicket ticket) { resets_.push_back(std::move(ticket)); }
  void Add(HopTicket ticket);

  // Takes what goes now: resets first, one at a time. Returns `now` when `work` was filled, otherwise when to ask again
  // unless something is added before; InfiniteFuture when nothing waits. What `work` held is dropped.
  absl::Time Take(const TickLoad& load, absl::Time now, DeviceWork* work);

  // As BatchFormer.
  absl::Time LatestStart(const ReadyHop& hop) const { return former_.LatestStart(hop); }
  // Whether waiting for the next tick is over as soon as these have come.
  bool full() const { return !resets_.empty() || hops_.size() >= former_.options().max_streams; }
  size_t size() const { return resets_.size() + hops_.size(); }
  void Swap(ReadyQueue& other);

 private:
  const BatchFormer former_;
  std::deque<ResetTicket> resets_;
  std::vector<HopTicket> hops_;
  std::vector<ReadyHop> ready_;  // of hops_, in its order
};

}  // namespace ddsp::server
