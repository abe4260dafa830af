#include "server/metrics/server_metrics.h"

#include <utility>

#include "prometheus/text_serializer.h"
#include "server/metrics/build.h"
#include "server/metrics/metric_table.h"
#include "server/metrics/process_usage.h"

namespace ddsp::server {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

// 0.5 ms to 1 s: blocks.
const Buckets& LatencyBuckets() {
  static const Buckets buckets = {0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02,
                                  0.03,   0.04,  0.06,  0.08,  0.1,   0.15,   0.25, 0.5,   1};
  return buckets;
}

const Buckets& BatchBuckets() {
  static const Buckets buckets = {1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256};
  return buckets;
}

const Buckets& LoadBuckets() {
  static const Buckets buckets = {0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30};
  return buckets;
}

// From a unary call to a session of an hour.
const Buckets& CallBuckets() {
  static const Buckets buckets = {0.001, 0.005, 0.025, 0.1, 0.5, 2, 10, 60, 300, 900, 3600};
  return buckets;
}

// 1 KiB to 4 MiB.
const Buckets& StateBuckets() {
  static const Buckets buckets = {1 << 10, 1 << 12, 1 << 14, 1 << 15, 1 << 16, 1 << 17, 1 << 18, 1 << 20, 1 << 22};
  return buckets;
}

const Buckets& BucketsOf(std::string_view name) {
  if (name == "ddsp_session_snapshot_bytes") return StateBuckets();
  if (name == "grpc_server_call_duration_seconds") return CallBuckets();
  if (name == "ddsp_batch_size") return BatchBuckets();
  if (name == "ddsp_model_load_seconds") return LoadBuckets();
  return LatencyBuckets();
}

bool IsServersFault(std::string_view status) {
  return status == "INTERNAL" || status == "UNKNOWN" || status == "DATA_LOSS" || status == "UNAVAILABLE";
}

void CountTo(double total, prometheus::Counter& counter) {
  if (const double more = total - counter.Value(); more > 0) counter.Increment(more);
}

}  // namespace

ServerMetrics::ServerMetrics(std::string device)
    : device_(std::move(device)), registry_(std::make_shared<prometheus::Registry>()) {
  for (const MetricRow& row : kMetricTable) {
    const std::string name(row.name), help(row.help);
    if (row.type == MetricType::kCounter) {
      counters_[name] = &prometheus::BuildCounter().Name(name).Help(help).Register(*registry_);
    } else if (row.type == MetricType::kGauge) {
      gauges_[name] = &prometheus::BuildGauge().Name(name).Help(help).Register(*registry_);
    } else {
      histograms_[name] = &prometheus::BuildHistogram().Name(name).Help(help).Register(*registry_);
    }
  }
  GaugeFamily("ddsp_build_info")
      .Add({{"version", std::string(Build().version)},
            {"commit", std::string(Build().commit)},
            {"cuda", std::string(Build().cuda)}})
      .Set(1);
  SetSpans(0, 0);
  SetLogDrops(0);
  SessionsShed(0);
  SetServerState(ServerState::kStarting);
}

prometheus::Histogram* ServerMetrics::HistogramOf(std::string_view name, const prometheus::Labels& labels) {
  return &histograms_.at(std::string(name))->Add(labels, BucketsOf(name));
}

ModelMetrics& ServerMetrics::ForModel(const std::string& model) {
  MutexLock lock(&mu_);
  std::unique_ptr<ModelMetrics>& metrics = models_[model];
  if (metrics != nullptr) return *metrics;
  const prometheus::Labels of_model = {{"model", model}};
  const prometheus::Labels on_device = {{"model", model}, {"device", device_}};
  auto& audio = CounterFamily("ddsp_audio_seconds_total");
  metrics = std::make_unique<ModelMetrics>(ModelMetrics{
      .sessions_active = &GaugeFamily("ddsp_sessions_active").Add(on_device),
      .session_slots = &GaugeFamily("ddsp_session_slots").Add(on_device),
      .sessions_started = &CounterFamily("ddsp_sessions_started_total").Add({{"model", model}, {"transport", "grpc"}}),
      .sessions_resumed = &CounterFamily("ddsp_sessions_resumed_total").Add(of_model),
      .snapshots = &CounterFamily("ddsp_session_snapshots_total").Add(of_model),
      .snapshot_bytes = HistogramOf("ddsp_session_snapshot_bytes", of_model),
      .setup_seconds = HistogramOf("ddsp_session_setup_seconds", of_model),
      .first_output_seconds = HistogramOf("ddsp_first_output_seconds", of_model),
      .block_latency_seconds = HistogramOf("ddsp_block_latency_seconds", of_model),
      .block_queue_seconds = HistogramOf("ddsp_block_queue_seconds", of_model),
      .block_compute_seconds = HistogramOf("ddsp_block_compute_seconds", of_model),
      .block_encode_seconds = HistogramOf("ddsp_block_encode_seconds", of_model),
      .block_deadline_missed = &CounterFamily("ddsp_block_deadline_missed_total").Add(of_model),
      .underruns = &CounterFamily("ddsp_underruns_total").Add(of_model),
      .audio_seconds_in = &audio.Add({{"model", model}, {"direction", "in"}}),
      .audio_seconds_out = &audio.Add({{"model", model}, {"direction", "out"}}),
      .realtime_factor = &GaugeFamily("ddsp_realtime_factor").Add(on_device),
      .batch_size = HistogramOf("ddsp_batch_size", on_device),
      .tick_seconds = HistogramOf("ddsp_tick_seconds", on_device),
      .tick_overrun = &CounterFamily("ddsp_tick_overrun_total").Add(on_device),
  });
  return *metrics;
}

void ServerMetrics::SessionEnded(const std::string& model, std::string_view reason) {
  CounterFamily("ddsp_sessions_ended_total").Add({{"model", model}, {"reason", std::string(reason)}}).Increment();
}

void ServerMetrics::SessionRejected(const std::string& model, std::string_view reason) {
  CounterFamily("ddsp_sessions_rejected_total").Add({{"model", model}, {"reason", std::string(reason)}}).Increment();
}

void ServerMetrics::SessionsShed(int count) { CounterFamily("ddsp_sessions_shed_total").Add({}).Increment(count); }

void ServerMetrics::ModelLoaded(const std::string& model, int64_t version, double load_seconds) {
  HistogramOf("ddsp_model_load_seconds", {{"model", model}, {"version", std::to_string(version)}})
      ->Observe(load_seconds);
}

void ServerMetrics::SetModelState(const std::string& model, int64_t version, std::string_view state) {
  auto& family = GaugeFamily("ddsp_model_state");
  auto& gauge = family.Add({{"model", model}, {"version", std::to_string(version)}, {"state", std::string(state)}});
  MutexLock lock(&mu_);
  prometheus::Gauge*& current = model_states_[{model, version}];
  if (current != nullptr && current != &gauge) family.Remove(current);
  current = &gauge;
  gauge.Set(1);
}

void ServerMetrics::ForgetModel(const std::string& model, int64_t version) {
  MutexLock lock(&mu_);
  const auto found = model_states_.find({model, version});
  if (found == model_states_.end()) return;
  GaugeFamily("ddsp_model_state").Remove(found->second);
  model_states_.erase(found);
}

void ServerMetrics::CallStarted(std::string_view method) {
  CounterFamily("grpc_server_call_started_total").Add({{"method", std::string(method)}}).Increment();
}

void ServerMetrics::CallEnded(std::string_view method, std::string_view status, double seconds) {
  calls_ended_.fetch_add(1, std::memory_order_relaxed);
  if (IsServersFault(status)) calls_failed_.fetch_add(1, std::memory_order_relaxed);
  HistogramOf("grpc_server_call_duration_seconds", {{"method", std::string(method)}, {"status", std::string(status)}})
      ->Observe(seconds);
}

void ServerMetrics::CallRefused(std::string_view reason) {
  CounterFamily("ddsp_calls_refused_total").Add({{"reason", std::string(reason)}}).Increment();
}

void ServerMetrics::SetStateBytes(double bytes) {
  GaugeFamily("ddsp_state_bytes").Add({{"device", device_}, {"kind", "slots"}}).Set(bytes);
}

void ServerMetrics::SetDeviceLoad(double busy, double demand, double crew_wait_seconds) {
  GaugeFamily("ddsp_device_busy_ratio").Add({{"device", device_}}).Set(busy);
  GaugeFamily("ddsp_device_demand_ratio").Add({{"device", device_}}).Set(demand);
  GaugeFamily("ddsp_crew_queue_seconds").Add({{"device", device_}}).Set(crew_wait_seconds);
}

void ServerMetrics::SetDemand(double limit, double cpu) {
  GaugeFamily("ddsp_device_limit_ratio").Add({{"device", device_}}).Set(limit);
  GaugeFamily("ddsp_cpu_demand_ratio").Add({}).Set(cpu);
}

void ServerMetrics::SetMemory(double sessions, double calls, double budget) {
  GaugeFamily("ddsp_memory_reserved_bytes").Add({{"kind", "sessions"}}).Set(sessions);
  GaugeFamily("ddsp_memory_reserved_bytes").Add({{"kind", "calls"}}).Set(calls);
  GaugeFamily("ddsp_memory_budget_bytes").Add({}).Set(budget);
}

void ServerMetrics::SetLogDrops(int64_t lines) {
  CountTo(static_cast<double>(lines), CounterFamily("ddsp_log_lines_dropped_total").Add({}));
}

void ServerMetrics::SetSpans(int64_t sent, int64_t dropped) {
  auto& family = CounterFamily("ddsp_trace_spans_total");
  CountTo(static_cast<double>(sent), family.Add({{"outcome", "sent"}}));
  CountTo(static_cast<double>(dropped), family.Add({{"outcome", "dropped"}}));
}

void ServerMetrics::UpdateProcess() {
  const ProcessUsage usage = ReadProcessUsage();
  CountTo(usage.cpu_seconds, CounterFamily("process_cpu_seconds_total").Add({}));
  GaugeFamily("process_resident_memory_bytes").Add({}).Set(static_cast<double>(usage.resident_bytes));
  GaugeFamily("process_open_fds").Add({}).Set(static_cast<double>(usage.open_files));
  GaugeFamily("process_start_time_seconds").Add({}).Set(usage.start_time);
  auto& memory = GaugeFamily("ddsp_device_memory_bytes");
  memory.Add({{"device", "cpu"}, {"kind", "resident"}}).Set(static_cast<double>(usage.resident_bytes));
  memory.Add({{"device", "cpu"}, {"kind", "limit"}}).Set(static_cast<double>(MemoryLimit()));
}

void ServerMetrics::SetServerState(ServerState state) {
  auto& family = GaugeFamily("ddsp_server_state");
  family.Add({{"state", "starting"}}).Set(state == ServerState::kStarting);
  family.Add({{"state", "serving"}}).Set(state == ServerState::kServing);
  family.Add({{"state", "draining"}}).Set(state == ServerState::kDraining);
}

void ServerMetrics::UpdateRates(absl::Time now) {
  MutexLock lock(&mu_);
  const double elapsed = absl::ToDoubleSeconds(now - rates_at_);
  for (const auto& [model, metrics] : models_) {
    const double made = metrics->audio_seconds_out->Value();
    if (elapsed > 0) metrics->realtime_factor->Set((made - seconds_made_[model]) / elapsed);
    seconds_made_[model] = made;
  }
  rates_at_ = now;
}

std::string ServerMetrics::Text() const { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

}  // namespace ddsp::server
