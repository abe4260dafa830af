// The server's metrics, by the names of metric_table.h. Thread-safe.
//
// Labels come from a closed set: names of loaded models, never text of a client.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace ddsp::server {

enum class ServerState { kStarting, kServing, kDraining };

// The series of one model, looked up once. Pointers live as long as ServerMetrics.
struct ModelMetrics {
  prometheus::Gauge* sessions_active;
  prometheus::Gauge* session_slots;
  prometheus::Counter* sessions_started;
  prometheus::Counter* sessions_resumed;
  prometheus::Counter* snapshots;
  prometheus::Histogram* snapshot_bytes;
  prometheus::Histogram* setup_seconds;
  prometheus::Histogram* first_output_seconds;
  prometheus::Histogram* block_latency_seconds;
  prometheus::Histogram* block_queue_seconds;
  prometheus::Histogram* block_compute_seconds;
  prometheus::Histogram* block_encode_seconds;
  prometheus::Counter* block_deadline_missed;
  prometheus::Counter* underruns;
  prometheus::Counter* audio_seconds_in;
  prometheus::Counter* audio_seconds_out;
  prometheus::Gauge* realtime_factor;
  prometheus::Histogram* batch_size;
  prometheus::Histogram* tick_seconds;
  prometheus::Counter* tick_overrun;
};

class ServerMetrics {
 public:
  // `device` is a label of what tells of it: "cpu", "cuda:0".
  explicit ServerMetrics(std::string device = "cpu");

  // Series of `model` ("violin"; "features" for sessions without a model). The same object for the same name.
  ModelMetrics& ForModel(const std::string& model);

  void SessionEnded(const std::string& model, std::string_view reason);
  // `reason` is an error's reason; `model` is a loaded model's name or "unknown".
  void SessionRejected(const std::string& model, std::string_view reason);
  void SessionsShed(int count);
  void ModelLoaded(const std::string& model, int64_t version, double load_seconds);
  // `state` is the name of a VersionState.
  void SetModelState(const std::string& model, int64_t version, std::string_view state);
  void ForgetModel(const std::string& model, int64_t version);
  // `method` is the full name of a method that the server has; `status` the name of a gRPC code.
  void CallStarted(std::string_view method);
  void CallEnded(std::string_view method, std::string_view status, double seconds);
  // Of all methods since the start; of those that ended with an error, what was the server's fault.
  int64_t calls_ended() const { return calls_ended_.load(std::memory_order_relaxed); }
  int64_t calls_failed() const { return calls_failed_.load(std::memory_order_relaxed); }
  // A call was refused before it was looked at; `reason` is an error's reason.
  void CallRefused(std::string_view reason);
  void SetStateBytes(double bytes);
  // Shares of the device threads' time, and the mean wait for the crew.
  void SetDeviceLoad(double busy, double demand, double crew_wait_seconds);
  // `limit` as in AdmissionOptions::max_load; `cpu` is the cores' share.
  void SetDemand(double limit, double cpu);
  void SetMemory(double sessions, double calls, double budget);
  // Totals since the start.
  void SetLogDrops(int64_t lines);
  void SetSpans(int64_t sent, int64_t dropped);
  // Reads what the process takes of the machine.
  void UpdateProcess();
  void SetServerState(ServerState state);
  // Sets the rates of what was counted since the last call.
  void UpdateRates(absl::Time now);

  // For the endpoint and for tests.
  std::shared_ptr<prometheus::Registry> registry() const { return registry_; }
  // The scrape as Prometheus text.
  std::string Text() const;

 private:
  prometheus::Family<prometheus::Counter>& CounterFamily(std::string_view name) {
    return *counters_.at(std::string(name));
  }
  prometheus::Family<prometheus::Gauge>& GaugeFamily(std::string_view name) { return *gauges_.at(std::string(name)); }
  prometheus::Histogram* HistogramOf(std::string_view name, const prometheus::Labels& labels);

  const std::string device_;
  const std::shared_ptr<prometheus::Registry> registry_;
  // Constant after construction; the families synchronise themselves.
  std::map<std::string, prometheus::Family<prometheus::Counter>*> counters_;
  std::map<std::string, prometheus::Family<prometheus::Gauge>*> gauges_;
  std::map<std::string, prometheus::Family<prometheus::Histogram>*> histograms_;

  std::atomic<int64_t> calls_ended_ = 0, calls_failed_ = 0;

  Mutex mu_;
  std::map<std::pair<std::string, int64_t>, prometheus::Gauge*> model_states_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::unique_ptr<ModelMetrics>> models_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, double> seconds_made_ ABSL_GUARDED_BY(mu_);  // at rates_at_
  absl::Time rates_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
};

}  // namespace ddsp::server
