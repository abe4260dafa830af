// Sends spans to a collector, on a thread of its own: OTLP over gRPC. Who ends a span never waits; what finds no room,
// or no collector, is dropped and counted. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "server/tracing/otlp_message.h"

namespace ddsp::server {

class OtlpExporter {
 public:
  struct Options {
    // HOST:PORT or http://HOST:PORT, in plain text; https://HOST:PORT by TLS.
    std::string endpoint;
    // With TLS: PEM of who signs the collector's certificate; empty: whom the system trusts.
    std::string ca_certificates = {};
    size_t max_queue = 2048;
    size_t max_batch = 256;
    // Longest that a span waits for company.
    absl::Duration interval = absl::Seconds(5);
    // Of one attempt.
    absl::Duration timeout = absl::Seconds(5);
    // Attempts of a batch while the collector cannot be reached; the waits between them double.
    int attempts = 4;
    absl::Duration first_wait = absl::Seconds(1);
    const Clock* clock = &Clock::Steady();
  };
  OtlpExporter(const Options& options, TraceSource source);
  // What waits gets one attempt more.
  ~OtlpExporter();

  void Take(SpanRecord span);
  // Waits until there is nothing left to send.
  void Flush();

  struct Counts {
    int64_t sent = 0, dropped = 0;
  };
  Counts counts() const;

 private:
  class Collector;

  void Run();
  // The next batch; empty: there will be none.
  std::vector<SpanRecord> Next();
  bool Send(const std::vector<SpanRecord>& batch);
  // Returns whether there is no reason to hurry.
  bool Rest(absl::Duration wait);
  bool stopped() const;

  const Options options_;
  const Clock& clock_;
  const TraceSource source_;
  const std::unique_ptr<Collector> collector_;
  mutable Mutex mu_;
  CondVar changed_;
  std::deque<SpanRecord> queue_ ABSL_GUARDED_BY(mu_);
  Counts counts_ ABSL_GUARDED_BY(mu_);
  bool sending_ ABSL_GUARDED_BY(mu_) = false, hurry_ ABSL_GUARDED_BY(mu_) = false,
                stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace ddsp::server
