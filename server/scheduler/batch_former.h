// Forms device batches from the streams that have a full hop ready.
//
// A pure decision: given a snapshot it returns who goes next; it owns no thread, lock or sample. Streams of different
// engines never share a batch. REALTIME goes before THROUGHPUT, but a THROUGHPUT stream that has waited for
// `throughput_patience` counts as REALTIME from then on, so nobody starves. The longest-waiting stream of the first
// class always goes, with as many of its engine's ready streams as fit.
#pragma once

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"

namespace ddsp::server {

enum class QualityOfService { kRealtime, kThroughput };

struct ReadyHop {
  int engine = 0;
  QualityOfService qos = QualityOfService::kRealtime;
  absl::Time since;  // ready since
};

struct BatchPlan {
  int engine = 0;
  std::vector<size_t> members;  // indices into the snapshot, most urgent first
};

class BatchFormer {
 public:
  struct Options {
    // Upper bound on streams per step. Larger raises throughput, and the latency of each of them.
    size_t max_streams = 64;
    // Longest a ready hop may wait for company while the device is idle; zero dispatches at once. Work that arrives
    // during a step gathers by itself, so waiting pays only where a small step costs nearly as much as a large one.
    absl::Duration max_wait = absl::ZeroDuration();
    // After this wait a THROUGHPUT stream is treated as REALTIME.
    absl::Duration throughput_patience = absl::Milliseconds(500);
  };
  explicit BatchFormer(const Options& options) : options_(options) {}

  // Returns the streams to step now, or nullopt when nobody is ready or waiting is still worthwhile.
  std::optional<BatchPlan> Next(absl::Span<const ReadyHop> ready, absl::Time now) const;

  const Options& options() const { return options_; }

 private:
  const Options options_;
};

}  // namespace ddsp::server
