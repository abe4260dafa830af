#include "load-tests/load_report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ddsp::loadtest {
namespace {

nlohmann::json ToJson(const std::vector<LoadSecond>& seconds) {
  nlohmann::json list = nlohmann::json::array();
  for (const LoadSecond& second : seconds) {
    list.push_back({{"p50_ms", second.p50_ms}, {"p99_ms", second.p99_ms}, {"underruns", second.underruns}});
  }
  return list;
}

nlohmann::json ToJson(const Refusals& refusals) {
  return {{"calls", refusals.calls},
          {"p50_ms", refusals.p50_ms},
          {"p99_ms", refusals.p99_ms},
          {"max_ms", refusals.max_ms},
          {"slow", refusals.slow},
          {"others", refusals.others},
          {"first_other", refusals.first_other}};
}

nlohmann::json ToJson(const LoadResult& result, double duration_s) {
  return {{"streams", result.streams},
          {"duration_s", duration_s},
          {"refused", result.refused},
          {"sent_away", result.sent_away},
          {"failed_streams", result.failed_streams},
          {"first_error", result.first_error},
          {"blocks", result.blocks},
          {"underruns", result.underruns},
          {"lost_samples", result.lost_samples},
          {"stalls", result.stalls},
          {"p50_ms", result.p50_ms},
          {"p95_ms", result.p95_ms},
          {"p99_ms", result.p99_ms},
          {"p999_ms", result.p999_ms},
          {"max_ms", result.max_ms},
          {"cpu_cores", result.server_cores},
          {"client_cores", result.client_cores},
          {"rss_bytes", result.server_bytes},
          {"rss_bytes_per_stream", result.bytes_per_stream},
          {"refusals", ToJson(result.refusals)},
          {"seconds", ToJson(result.seconds)}};
}

}  // namespace

std::string TableHead() {
  return "streams |   p50    p95    p99  p99.9    max ms | underruns  lost  refused | server  client cores | "
         "KiB/stream\n";
}

std::string TableRow(const LoadResult& result) {
  std::string row = absl::StrFormat(
      "%7d | %5.1f  %5.1f  %5.1f  %5.1f  %5.1f    | %9d %5d %8d | %6.2f  %6.2f       | %10.0f\n", result.streams,
      result.p50_ms, result.p95_ms, result.p99_ms, result.p999_ms, result.max_ms, result.underruns, result.lost_samples,
      result.refused, result.server_cores, result.client_cores, result.bytes_per_stream / 1024.0);
  if (result.sent_away > 0) absl::StrAppend(&row, "        ", result.sent_away, " streams were sent away\n");
  if (result.failed_streams > 0) {
    absl::StrAppend(&row, "        ", result.failed_streams, " streams failed: ", result.first_error, "\n");
  }
  return row;
}

std::string TextOf(const Refusals& refusals) {
  std::string text = absl::StrFormat(
      "        %d calls refused after p50 %.2f, p99 %.2f, at most %.2f ms; %d after more than %.0f ms\n",
      refusals.calls, refusals.p50_ms, refusals.p99_ms, refusals.max_ms, refusals.slow, kLongestRefusalMs);
  if (refusals.others > 0) {
    absl::StrAppend(&text, "        ", refusals.others, " other answers: ", refusals.first_other, "\n");
  }
  return text;
}

nlohmann::json ToJson(const LoadReport& report) {
  nlohmann::json figures =
      report.levels.empty() ? nlohmann::json::object() : ToJson(report.levels[report.best], report.duration_s);
  figures["codec"] = report.codec;
  figures["deadline_ms"] = report.deadline_ms;
  figures["levels"] = nlohmann::json::array();
  for (const LoadResult& level : report.levels) figures["levels"].push_back(ToJson(level, report.duration_s));
  if (report.start_to_first_audio_s) figures["start_to_first_audio_s"] = *report.start_to_first_audio_s;
  if (report.p99_without_troublemakers_ms) {
    figures["p99_without_troublemakers_ms"] = *report.p99_without_troublemakers_ms;
  }
  if (report.overload_p99_ratio) figures["overload_p99_ratio"] = *report.overload_p99_ratio;
  return figures;
}

}  // namespace ddsp::loadtest
