#include "load-tests/soak/soak_report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ddsp::soak {
namespace {

double Mib(double bytes) { return bytes / (1 << 20); }

nlohmann::json ToJson(const std::map<std::string, Tally>& tallies) {
  nlohmann::json all = nlohmann::json::object();
  for (const auto& [name, tally] : tallies) {
    all[name] = {{"visits", tally.visits},
                 {"unexpected", tally.unexpected},
                 {"first_unexpected", tally.first_unexpected},
                 {"longest_s", tally.longest_seconds}};
  }
  return all;
}

nlohmann::json ToJson(const std::vector<SoakMinute>& minutes) {
  nlohmann::json all = nlohmann::json::array();
  for (const SoakMinute& minute : minutes) {
    all.push_back({{"seconds", minute.seconds},
                   {"rss_bytes", minute.memory.resident},
                   {"pss_bytes", minute.memory.proportional},
                   {"anonymous_bytes", minute.memory.anonymous},
                   {"sessions", minute.sessions},
                   {"visits", minute.visits},
                   {"unexpected", minute.unexpected},
                   {"p99_ms", minute.p99_ms}});
  }
  return all;
}

}  // namespace

std::string LineOf(const SoakMinute& minute) {
  return absl::StrFormat(
      "%6.0f s | resident %6.1f MiB, proportional %6.1f, anonymous %6.1f | %3.0f sessions | %6d clients came, %d "
      "unexpected | p99 %5.1f ms",
      minute.seconds, Mib(static_cast<double>(minute.memory.resident)),
      Mib(static_cast<double>(minute.memory.proportional)), Mib(static_cast<double>(minute.memory.anonymous)),
      minute.sessions, minute.visits, minute.unexpected, minute.p99_ms);
}

std::string TextOf(const SoakReport& report) {
  std::string text = "client                   came  unexpected  longest s\n";
  for (const auto& [name, tally] : report.tallies) {
    absl::StrAppendFormat(&text, "%-22s %6d  %10d  %9.1f\n", name, tally.visits, tally.unexpected,
                          tally.longest_seconds);
  }
  absl::StrAppendFormat(&text, "all                    %6d  %10d\n\n", report.visits(), report.unexpected());
  absl::StrAppendFormat(
      &text, "%.0f s; %d live streams: %d blocks, p50 %.2f ms, p99 %.2f ms, longest %.1f ms, %d samples lost\n",
      report.seconds, report.streams, report.blocks, report.p50_ms, report.p99_ms, report.max_ms, report.lost_samples);
  const Ledger& ledger = report.ledger;
  absl::StrAppendFormat(
      &text,
      "ledger: %.0f sessions started, %.0f ended, %.0f slots in use; %.0f calls began, %.0f ended; %.0f "
      "bytes reserved; %.0f files open; %.0f lines of log dropped\n",
      ledger.sessions_started, ledger.sessions_ended, ledger.slots_in_use, ledger.calls_started, ledger.calls_ended,
      ledger.reserved_bytes, ledger.open_files, ledger.lines_dropped);
  if (report.flatness.has_value()) {
    absl::StrAppendFormat(
        &text,
        "resident memory: %.2f MiB in the mean from 1/12 to 1/4 of the time, %.2f MiB in its last sixth: %+.2f %%\n",
        Mib(report.flatness->early_bytes), Mib(report.flatness->late_bytes), 100 * report.flatness->growth());
  }
  absl::StrAppend(&text, "server's exit code: ", report.exit_code, "\n");
  for (const std::string& failure : report.failures) absl::StrAppend(&text, "FAILED: ", failure, "\n");
  absl::StrAppend(&text, report.passed() ? "passed\n" : "");
  return text;
}

nlohmann::json ToJson(const SoakReport& report) {
  nlohmann::json figures = {{"passed", report.passed()},
                            {"failures", report.failures},
                            {"seconds", report.seconds},
                            {"clients", report.visits()},
                            {"unexpected", report.unexpected()},
                            {"streams", report.streams},
                            {"blocks", report.blocks},
                            {"lost_samples", report.lost_samples},
                            {"p50_ms", report.p50_ms},
                            {"p99_ms", report.p99_ms},
                            {"max_ms", report.max_ms},
                            {"exit_code", report.exit_code},
                            {"sessions_started", report.ledger.sessions_started},
                            {"sessions_ended", report.ledger.sessions_ended},
                            {"slots_in_use", report.ledger.slots_in_use},
                            {"calls_started", report.ledger.calls_started},
                            {"calls_ended", report.ledger.calls_ended},
                            {"reserved_bytes", report.ledger.reserved_bytes},
                            {"open_files", report.ledger.open_files},
                            {"log_lines_dropped", report.ledger.lines_dropped}};
  if (report.flatness.has_value()) {
    figures["early_rss_bytes"] = report.flatness->early_bytes;
    figures["late_rss_bytes"] = report.flatness->late_bytes;
    figures["rss_growth"] = report.flatness->growth();
  }
  figures["scenarios"] = ToJson(report.tallies);
  figures["minutes"] = ToJson(report.minutes);
  return figures;
}

}  // namespace ddsp::soak
