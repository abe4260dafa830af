#include "server/metrics/triton_aliases.h"

#include <map>
#include <string>
#include <string_view>

namespace ddsp::server {
namespace {

// What an alias is made of.
enum class Source { kCount, kSumMicros, kCounter, kGauge };

struct Alias {
  std::string_view name, help, ours;
  Source source;
  // Where ours has reasons: the one that counts; empty: all.
  std::string_view reason = "";
};

constexpr Alias kAliases[] = {
    {"nv_inference_request_success", "Blocks that were given out.", "ddsp_block_latency_seconds", Source::kCount},
    {"nv_inference_request_failure", "Sessions that ended with an error.", "ddsp_sessions_ended_total",
     Source::kCounter, "error"},
    {"nv_inference_count", "Hops that were computed.", "ddsp_block_compute_seconds", Source::kCount},
    {"nv_inference_exec_count", "Steps of a device.", "ddsp_tick_seconds", Source::kCount},
    {"nv_inference_request_duration_us", "Latency of blocks, summed.", "ddsp_block_latency_seconds",
     Source::kSumMicros},
    {"nv_inference_queue_duration_us", "Waits of hops for a device, summed.", "ddsp_block_queue_seconds",
     Source::kSumMicros},
    {"nv_inference_compute_infer_duration_us", "Steps that hops took part in, summed.", "ddsp_block_compute_seconds",
     Source::kSumMicros},
    {"nv_inference_compute_output_duration_us", "Encoding of blocks, summed.", "ddsp_block_encode_seconds",
     Source::kSumMicros},
    {"nv_inference_pending_request_count", "Sessions that hold a slot.", "ddsp_sessions_active", Source::kGauge},
};

double ValueOf(const prometheus::ClientMetric& metric, Source source) {
  switch (source) {
    case Source::kCount:
      return static_cast<double>(metric.histogram.sample_count);
    case Source::kSumMicros:
      return 1e6 * metric.histogram.sample_sum;
    case Source::kCounter:
      return metric.counter.value;
    case Source::kGauge:
      return metric.gauge.value;
  }
  return 0;
}

std::string LabelOf(const prometheus::ClientMetric& metric, std::string_view name) {
  for (const auto& label : metric.label) {
    if (label.name == name) return label.value;
  }
  return "";
}

prometheus::MetricFamily AliasOf(const Alias& alias, const prometheus::MetricFamily& ours) {
  std::map<std::string, double> by_model;
  for (const prometheus::ClientMetric& metric : ours.metric) {
    const bool counts = alias.reason.empty() || LabelOf(metric, "reason") == alias.reason;
    by_model[LabelOf(metric, "model")] += counts ? ValueOf(metric, alias.source) : 0;
  }
  const bool is_gauge = alias.source == Source::kGauge;
  prometheus::MetricFamily family;
  family.name = std::string(alias.name);
  family.help = std::string(alias.help);
  family.type = is_gauge ? prometheus::MetricType::Gauge : prometheus::MetricType::Counter;
  for (const auto& [model, value] : by_model) {
    prometheus::ClientMetric metric;
    metric.label = {{"model", model}, {"version", "all"}};
    (is_gauge ? metric.gauge.value : metric.counter.value) = value;
    family.metric.push_back(std::move(metric));
  }
  return family;
}

}  // namespace

std::vector<prometheus::MetricFamily> AliasesOf(const std::vector<prometheus::MetricFamily>& families) {
  std::vector<prometheus::MetricFamily> aliases;
  for (const Alias& alias : kAliases) {
    for (const prometheus::MetricFamily& family : families) {
      if (family.name == alias.ours && !family.metric.empty()) aliases.push_back(AliasOf(alias, family));
    }
  }
  return aliases;
}

std::vector<prometheus::MetricFamily> TritonAliases::Collect() const { return AliasesOf(registry_->Collect()); }

}  // namespace ddsp::server
