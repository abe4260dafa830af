#include "client/cli/top_screen.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ddsp::client {
namespace {

constexpr char kLatency[] = "ddsp_block_latency_seconds";
constexpr double kLateSeconds = 0.04;  // the goal of the service

// Changes between two scrapes, a second.
class Rates {
 public:
  Rates(const Scrape& before, const Scrape& after, absl::Duration elapsed)
      : before_(before), after_(after), seconds_(absl::ToDoubleSeconds(elapsed)) {}
  double Of(const std::string& name, const Labels& labels = {}) const {
    const double now = after_.Sum(name, labels), change = now - before_.Sum(name, labels);
    return seconds_ <= 0 ? 0 : (change < 0 ? now : change) / seconds_;  // less: it was started anew
  }

 private:
  const Scrape& before_;
  const Scrape& after_;
  const double seconds_;
};

std::string LabelThatIsOne(const Scrape& scrape, const std::string& name, const std::string& label) {
  for (const Scrape::Sample& sample : scrape.samples()) {
    if (sample.name != name || sample.value != 1) continue;
    if (const auto found = sample.labels.find(label); found != sample.labels.end()) return found->second;
  }
  return "";
}

// "violin" and the like; "features" stands for sessions without a voice, shown once somebody has one.
bool IsShown(const TopSnapshot::Model& model) { return model.name != "features" || model.sessions > 0; }

class Painter {
 public:
  explicit Painter(TopColours colours) : ansi_(colours == TopColours::kAnsi) {}
  std::string Bold(const std::string& text) const { return Paint("1", text); }
  std::string Dim(const std::string& text) const { return Paint("2", text); }
  // Green below `warn`, yellow below `alarm`, red above.
  std::string Rate(const std::string& text, double value, double warn, double alarm) const {
    if (std::isnan(value)) return Dim(text);
    return Paint(value >= alarm ? "31" : value >= warn ? "33" : "32", text);
  }

 private:
  std::string Paint(const char* code, const std::string& text) const {
    return ansi_ ? absl::StrCat("\033[", code, "m", text, "\033[0m") : text;
  }
  const bool ansi_;
};

std::string Ms(double seconds) {
  if (std::isnan(seconds)) return "-";
  return seconds < 0.0995 ? absl::StrFormat("%.1f", 1000 * seconds) : absl::StrFormat("%.0f", 1000 * seconds);
}

std::string Size(double bytes) {
  if (bytes >= 1e9) return absl::StrFormat("%.1f GB", bytes / 1e9);
  return absl::StrFormat("%.0f MB", bytes / 1e6);
}

std::string Uptime(double seconds) {
  const int64_t whole = static_cast<int64_t>(seconds);
  if (whole >= 86400) return absl::StrFormat("%dd%02dh", whole / 86400, whole / 3600 % 24);
  if (whole >= 3600) return absl::StrFormat("%dh%02dm", whole / 3600, whole / 60 % 60);
  return absl::StrFormat("%dm%02ds", whole / 60, whole % 60);
}

std::string Bar(double share, int width) {
  const int full = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * width));
  return absl::StrCat("[", std::string(static_cast<size_t>(full), '|'),
                      std::string(static_cast<size_t>(width - full), ' '), "]");
}

std::string Cut(std::string text, size_t width) {
  if (text.size() <= width) return text;
  return text.substr(0, width - 1) + "~";
}

std::string Gauge(const Painter& paint, const std::string& name, double share, double limit, const std::string& note,
                  int width) {
  const double full = limit > 0 ? limit : 1;
  const std::string figures = absl::StrFormat("%4.0f %%  %s", 100 * share, note);
  const int bar = std::max(10, width - 12 - static_cast<int>(figures.size()) - 3);
  return absl::StrCat(absl::StrFormat("%-9s ", name), paint.Rate(Bar(share / full, bar), share / full, 0.7, 0.9), " ",
                      figures, "\n");
}

std::string Listed(const std::map<std::string, double>& counts, const char* unit) {
  std::string text;
  for (const auto& [name, count] : counts) {
    if (count > 0) absl::StrAppendFormat(&text, "%s%s %.3g%s", text.empty() ? "" : ", ", name, count, unit);
  }
  return text.empty() ? "none" : text;
}

std::string ModelRow(const Painter& paint, const TopSnapshot::Model& model) {
  const double share = model.slots > 0 ? model.sessions / model.slots : 0;
  return absl::StrCat(
      absl::StrFormat("%-18s ", Cut(model.name, 18)),
      paint.Rate(absl::StrFormat("%9s", absl::StrFormat("%.0f/%.0f", model.sessions, model.slots)), share, 0.7, 0.9),
      paint.Rate(absl::StrFormat("%8s", Ms(model.p50)), model.p50, kLateSeconds / 2, kLateSeconds),
      paint.Rate(absl::StrFormat("%8s", Ms(model.p99)), model.p99, kLateSeconds / 2, kLateSeconds),
      absl::StrFormat("%9.1f%9.2g", model.realtime_factor, model.underruns),
      absl::StrFormat("%8.2g%11.2g\n", model.late, model.refused));
}

nlohmann::ordered_json OrNull(double value) {
  return std::isnan(value) ? nlohmann::ordered_json() : nlohmann::ordered_json(value);
}

}  // namespace

TopSnapshot MakeTopSnapshot(const std::string& server, const Scrape& before, const Scrape& after,
                            absl::Duration elapsed, absl::Time now) {
  const Rates rates(before, after, elapsed);
  TopSnapshot top{.server = server};
  for (const std::string& version : after.LabelsOf("ddsp_build_info", "version")) top.version = version;
  top.state = LabelThatIsOne(after, "ddsp_server_state", "state");
  if (const double start = after.Max("process_start_time_seconds"); start > 0) {
    top.uptime = std::max(0.0, absl::ToDoubleSeconds(now - absl::UnixEpoch()) - start);
  }
  top.sessions = after.Sum("ddsp_sessions_active");
  // Each voice has as many slots as the server takes sessions.
  top.slots = after.Max("ddsp_session_slots");
  top.p50 = Quantile(0.5, kLatency, {}, before, after);
  top.p99 = Quantile(0.99, kLatency, {}, before, after);
  top.started = rates.Of("ddsp_sessions_started_total");
  top.ended = rates.Of("ddsp_sessions_ended_total");
  top.underruns = rates.Of("ddsp_underruns_total");
  top.late = rates.Of("ddsp_block_deadline_missed_total");
  top.busy = after.Max("ddsp_device_busy_ratio");
  top.demand = after.Max("ddsp_device_demand_ratio");
  top.limit = after.Max("ddsp_device_limit_ratio");
  top.cpu = after.Max("ddsp_cpu_demand_ratio");
  top.cores_used = rates.Of("process_cpu_seconds_total");
  top.resident_bytes = after.Max("process_resident_memory_bytes");
  top.reserved_bytes = after.Sum("ddsp_memory_reserved_bytes");
  top.budget_bytes = after.Max("ddsp_memory_budget_bytes");
  for (const std::string& reason : after.LabelsOf("ddsp_sessions_rejected_total", "reason")) {
    top.refused[reason] = rates.Of("ddsp_sessions_rejected_total", {{"reason", reason}});
  }
  for (const std::string& state : after.LabelsOf("ddsp_jobs", "state")) {
    top.jobs[state] = after.Sum("ddsp_jobs", {{"state", state}});
  }
  for (const std::string& name : after.LabelsOf("ddsp_session_slots", "model")) {
    const Labels labels = {{"model", name}};
    TopSnapshot::Model model{.name = name};
    model.sessions = after.Sum("ddsp_sessions_active", labels);
    model.slots = after.Sum("ddsp_session_slots", labels);
    model.p50 = Quantile(0.5, kLatency, labels, before, after);
    model.p99 = Quantile(0.99, kLatency, labels, before, after);
    model.realtime_factor = after.Sum("ddsp_realtime_factor", labels);
    model.underruns = rates.Of("ddsp_underruns_total", labels);
    model.late = rates.Of("ddsp_block_deadline_missed_total", labels);
    model.refused = rates.Of("ddsp_sessions_rejected_total", labels);
    if (IsShown(model)) top.models.push_back(std::move(model));
  }
  return top;
}

std::string RenderTop(const TopSnapshot& top, TopColours colours, int width) {
  const Painter paint(colours);
  std::string text = absl::StrCat(paint.Bold(absl::StrCat("ddsp ", top.version, "  ", top.server)), "  ",
                                  paint.Rate(top.state, top.state == "serving" ? 0 : 1, 1, 2));
  if (top.uptime > 0) absl::StrAppend(&text, "  up ", Uptime(top.uptime));
  absl::StrAppendFormat(&text, "\nstreams   %.0f of %.0f   started %.3g/s   ended %.3g/s   ", top.sessions, top.slots,
                        top.started, top.ended);
  absl::StrAppendFormat(&text, "underruns %.3g/s   late %.3g/s\n", top.underruns, top.late);
  absl::StrAppend(&text, "latency   p50 ", paint.Rate(Ms(top.p50) + " ms", top.p50, kLateSeconds / 2, kLateSeconds),
                  "   p99 ", paint.Rate(Ms(top.p99) + " ms", top.p99, kLateSeconds / 2, kLateSeconds), "\n");
  const std::string limit = top.limit > 0 ? absl::StrFormat("of %.0f %%", 100 * top.limit) : "no bound";
  text += Gauge(paint, "device", top.busy, 1, "taken", width);
  text += Gauge(paint, "promised", top.demand, top.limit, limit, width);
  if (top.cpu > 0)
    text += Gauge(paint, "cores", top.cpu, top.limit, absl::StrFormat("%.1f in use", top.cores_used), width);
  if (top.budget_bytes > 0) {
    text += Gauge(paint, "memory", top.reserved_bytes / top.budget_bytes, 1,
                  absl::StrCat("of ", Size(top.budget_bytes), ", ", Size(top.resident_bytes), " resident"), width);
  }
  absl::StrAppend(&text, "refused   ", Listed(top.refused, "/s"), "\n");
  if (!top.jobs.empty()) {
    std::map<std::string, double> jobs;
    for (const auto& [state, count] : top.jobs) jobs[absl::AsciiStrToLower(state)] = count;
    absl::StrAppend(&text, "jobs      ", Listed(jobs, ""), "\n");
  }
  absl::StrAppend(&text, "\n",
                  paint.Bold(absl::StrFormat("%-18s %9s%8s%8s%9s%9s%8s%11s", "MODEL", "SESSIONS", "P50 MS", "P99 MS",
                                             "AUDIO/S", "GAPS/S", "LATE/S", "REFUSED/S")),
                  "\n");
  for (const TopSnapshot::Model& model : top.models) text += ModelRow(paint, model);
  return text;
}

nlohmann::ordered_json ToJson(const TopSnapshot& top) {
  nlohmann::ordered_json models = nlohmann::ordered_json::array();
  for (const TopSnapshot::Model& model : top.models) {
    models.push_back({{"name", model.name},
                      {"sessions", model.sessions},
                      {"slots", model.slots},
                      {"latency_p50_seconds", OrNull(model.p50)},
                      {"latency_p99_seconds", OrNull(model.p99)},
                      {"realtime_factor", model.realtime_factor},
                      {"underruns_per_second", model.underruns},
                      {"late_blocks_per_second", model.late},
                      {"refused_per_second", model.refused}});
  }
  return {{"server", top.server},
          {"version", top.version},
          {"state", top.state},
          {"sessions", top.sessions},
          {"slots", top.slots},
          {"latency_p50_seconds", OrNull(top.p50)},
          {"latency_p99_seconds", OrNull(top.p99)},
          {"started_per_second", top.started},
          {"ended_per_second", top.ended},
          {"underruns_per_second", top.underruns},
          {"late_blocks_per_second", top.late},
          {"device_busy", top.busy},
          {"device_demand", top.demand},
          {"device_limit", top.limit},
          {"cpu_demand", top.cpu},
          {"cores_used", top.cores_used},
          {"resident_bytes", top.resident_bytes},
          {"reserved_bytes", top.reserved_bytes},
          {"budget_bytes", top.budget_bytes},
          {"refused_per_second", top.refused},
          {"jobs", top.jobs},
          {"models", std::move(models)}};
}

}  // namespace ddsp::client
