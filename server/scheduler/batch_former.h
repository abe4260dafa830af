// Forms device batches from the streams that have a full hop ready: who goes together, and when.
//
// A pure decision: given a snapshot it returns who goes now, or until when waiting for company pays; it owns no thread,
// lock or sample. Streams of different engines never share a batch.
//
// Time is cut into ticks that grow with the load. On an idle device a hop goes at once. The busier the device, the
// longer the first ready hop waits for others (see GatherTime), so that a loaded device steps few large batches instead
// of many small ones. Waiting is bounded by the hop's own latency budget, not by what others would like.
//
// REALTIME goes before THROUGHPUT, by deadline. THROUGHPUT fills what a tick of REALTIME leaves, or goes alone when no
// REALTIME hop is ready, in both cases for no longer than the longest tick; after `throughput_patience` it counts as
// REALTIME, so nobody starves.
#pragma once

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/scheduler/step_cost.h"

namespace ddsp::server {

enum class QualityOfService { kRealtime, kThroughput };

struct ReadyHop {
  int engine = 0;
  QualityOfService qos = QualityOfService::kRealtime;
  absl::Time since;                                // ready since
  absl::Duration budget = absl::Milliseconds(40);  // the stream's largest block latency
  absl::Duration lag = absl::ZeroDuration();       // of `since` behind when it was wanted
};

// An engine's hop, and what a step of it costs now; zero where that is not known.
struct EngineTick {
  absl::Duration hop = absl::Milliseconds(20);
  StepCost cost;
};

// What is known of the devices when a batch is formed.
struct TickLoad {
  double busy = 0;       // share of the devices' time that REALTIME hops take, 0..1
  int idle_workers = 1;  // device workers that have nothing to do, the asking one included
  std::vector<EngineTick> engines;
};

struct BatchPlan {
  int engine = 0;
  std::vector<size_t> members;  // indices into the snapshot, most urgent first
};

struct BatchDecision {
  std::optional<BatchPlan> plan;
  // Without a plan: when to ask again, unless something becomes ready before; InfiniteFuture when nobody is ready.
  absl::Time wait_until = absl::InfiniteFuture();
};

class BatchFormer {
 public:
  struct Options {
    // Upper bound on streams per step. Larger raises throughput, and the latency of each of them.
    size_t max_streams = 256;
    // Several idle workers share what is ready, but no share is smaller than this, if its step takes no longer than a
    // quarter of a hop.
    size_t min_share = 32;
    // Longest tick; zero: every ready hop goes at once.
    absl::Duration max_wait = absl::Milliseconds(5);
    // After this wait a THROUGHPUT stream is treated as REALTIME.
    absl::Duration throughput_patience = absl::Milliseconds(500);
  };
  explicit BatchFormer(const Options& options) : options_(options) {}

  BatchDecision Next(absl::Span<const ReadyHop> ready, const TickLoad& load, absl::Time now) const;

  // How long the first ready hop waits for others: the device time that one hop of every stream takes, at most a
  // quarter of a hop and max_wait; zero while that is less than two steps of one stream.
  absl::Duration GatherTime(double busy, const EngineTick& engine) const;

  // A ready hop does not wait for others beyond this: less time, down to a quarter, where it is late by more than half
  // its budget.
  absl::Time LatestStart(const ReadyHop& hop) const;

  const Options& options() const { return options_; }

 private:
  struct Turn;
  bool IsUrgent(const ReadyHop& hop, absl::Time now) const;
  std::vector<Turn> InOrder(absl::Span<const ReadyHop> ready, const TickLoad& load, absl::Time now) const;
  // Streams that are stepped within a quarter of a hop; at least one.
  size_t InATick(const EngineTick& engine) const;
  BatchPlan Gather(absl::Span<const ReadyHop> ready, const std::vector<Turn>& order, int engine,
                   const TickLoad& load) const;

  const Options options_;
};

}  // namespace ddsp::server
