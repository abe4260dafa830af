#include "client/cli/session_text.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace ddsp::client {
namespace {

double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + 1e-9 * duration.nanos();
}

// "live": what follows a prefix of the enum.
std::string Word(const std::string& name, const char* prefix) {
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

std::string StateOf(const v1::Session& session) {
  return Word(v1::SessionPhase_Name(session.state()), "SESSION_PHASE_");
}

std::string EncodingOf(const v1::AudioFormat& format) {
  return absl::AsciiStrToLower(v1::AudioEncoding_Name(format.encoding()));
}

// "pcm_s16le@48k"
std::string FormatOf(const v1::AudioFormat& format) {
  return absl::StrFormat("%s@%gk", EncodingOf(format), format.sample_rate_hz() / 1000.0);
}

std::string Age(double seconds) {
  if (seconds >= 3600) return absl::StrFormat("%.1fh", seconds / 3600);
  return seconds >= 60 ? absl::StrFormat("%.1fm", seconds / 60) : absl::StrFormat("%.1fs", seconds);
}

std::string Played(uint64_t samples, const v1::AudioFormat& format) {
  return format.sample_rate_hz() == 0 ? "-" : Age(static_cast<double>(samples) / format.sample_rate_hz());
}

std::string Ms(bool there, const google::protobuf::Duration& duration) {
  return there ? absl::StrFormat("%.1f", 1000 * Seconds(duration)) : "-";
}

nlohmann::ordered_json FormatJson(const v1::AudioFormat& format) {
  return {
      {"encoding", EncodingOf(format)}, {"sample_rate_hz", format.sample_rate_hz()}, {"channels", format.channels()}};
}

}  // namespace

std::string SessionTable(const std::vector<v1::Session>& sessions) {
  if (sessions.empty()) return "no sessions\n";
  std::string table =
      absl::StrFormat("%-16s %-10s %-14s %7s %-14s %-14s %8s %8s %7s %7s %6s %-10s %s\n", "SESSION", "STATE", "MODEL",
                      "AGE", "INPUT", "OUTPUT", "IN", "OUT", "P50 MS", "P99 MS", "GAPS", "QOS", "PEER");
  for (const v1::Session& session : sessions) {
    const bool has_plan = session.has_input_format();
    absl::StrAppendFormat(
        &table, "%-16s %-10s %-14s %7s %-14s %-14s %8s %8s %7s %7s %6d %-10s %s\n", session.id(), StateOf(session),
        has_plan ? session.model() : "-", Age(Seconds(session.age())),
        has_plan ? FormatOf(session.input_format()) : "-", has_plan ? FormatOf(session.output_format()) : "-",
        Played(session.input_samples(), session.input_format()),
        Played(session.output_samples(), session.output_format()), Ms(session.has_latency_p50(), session.latency_p50()),
        Ms(session.has_latency_p99(), session.latency_p99()), session.underruns(),
        has_plan ? Word(v1::QualityOfService_Name(session.qos()), "QUALITY_OF_SERVICE_") : "-", session.peer());
  }
  return table;
}

nlohmann::ordered_json ToJson(const v1::Session& session) {
  nlohmann::ordered_json row = {{"id", session.id()},
                                {"state", StateOf(session)},
                                {"transport", session.transport()},
                                {"peer", session.peer()},
                                {"request_id", session.request_id()},
                                {"age_seconds", Seconds(session.age())},
                                {"idle_seconds", Seconds(session.idle())}};
  if (!session.has_input_format()) return row;
  row["model"] = session.model();
  row["input_format"] = FormatJson(session.input_format());
  row["output_format"] = FormatJson(session.output_format());
  row["qos"] = Word(v1::QualityOfService_Name(session.qos()), "QUALITY_OF_SERVICE_");
  row["input_samples"] = session.input_samples();
  row["output_samples"] = session.output_samples();
  row["output_blocks"] = session.output_blocks();
  row["underruns"] = session.underruns();
  row["late_blocks"] = session.late_blocks();
  if (session.has_latency_p50()) row["latency_p50_seconds"] = Seconds(session.latency_p50());
  if (session.has_latency_p99()) row["latency_p99_seconds"] = Seconds(session.latency_p99());
  return row;
}

}  // namespace ddsp::client
