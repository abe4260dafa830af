#include "server/journal/session_log.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"
#include "server/tracing/span.h"

namespace ddsp::server {
namespace {

std::string_view NameOf(Encoding encoding) {
  return encoding == Encoding::kOpus ? "opus" : encoding == Encoding::kPcm16 ? "pcm_s16le" : "pcm_f32le";
}

std::string FormatOf(const WireFormat& format) {
  return absl::StrCat(std::string(NameOf(format.encoding)), "@", format.sample_rate);
}

double Seconds(absl::Duration duration) { return absl::ToDoubleSeconds(duration); }

std::vector<LogField> Who(const SessionFacts& facts) {
  std::vector<LogField> fields = {{"session_id", facts.id},
                                  {"request_id", facts.origin.request_id},
                                  {"model", facts.model},
                                  {"transport", facts.origin.transport},
                                  {"peer", facts.origin.peer}};
  if (facts.origin.span != nullptr) fields.push_back({"trace_id", HexOf(facts.origin.span->context().trace_id)});
  return fields;
}

void AddHow(const SessionFacts& facts, const absl::Status& status, std::vector<LogField>* fields) {
  const std::string reason = ReasonOf(status);
  fields->push_back({"seconds", Seconds(facts.age)});
  fields->push_back({"input_samples", facts.input_samples});
  fields->push_back({"output_samples", facts.output_samples});
  fields->push_back({"latency_p99_seconds", Seconds(facts.latency_p99)});
  fields->push_back({"underruns", facts.underruns});
  fields->push_back({"code", absl::StatusCodeToString(status.code())});
  if (!reason.empty()) fields->push_back({"reason", reason});
  if (!status.ok()) fields->push_back({"error", std::string(status.message())});
}

std::vector<Attribute> Progress(const SessionFacts& facts) {
  return {{"ddsp.input_samples", facts.input_samples},      {"ddsp.output_samples", facts.output_samples},
          {"ddsp.output_blocks", facts.output_blocks},      {"ddsp.latency_p50", Seconds(facts.latency_p50)},
          {"ddsp.latency_p99", Seconds(facts.latency_p99)}, {"ddsp.underruns", facts.underruns}};
}

// For people; programs read the field `end`. What goes on elsewhere, or was told to go, has not failed.
std::string_view MessageOf(std::string_view end) {
  if (end == "client_close") return "session ended";
  if (end == "migrated") return "session moved";
  if (end == "drained") return "session drained";
  if (end == "shed") return "session sent away";
  if (end == "cancelled") return "session cancelled";
  return "session failed";
}

bool IsServersFault(const absl::Status& status) {
  return absl::IsInternal(status) || absl::IsDataLoss(status) || absl::IsUnknown(status);
}

}  // namespace

void SessionLog::Started(const SessionFacts& facts) {
  if (Span* const span = facts.origin.span.get(); span != nullptr) {
    span->Set("ddsp.model", facts.model);
    span->AddEvent("session.started", {{"ddsp.setup", Seconds(facts.setup)}});
  }
  if (log_ == nullptr || !log_->Wants(LogLevel::kInfo)) return;
  std::vector<LogField> fields = Who(facts);
  fields.push_back({"input", FormatOf(facts.input_format)});
  fields.push_back({"output", FormatOf(facts.output_format)});
  fields.push_back({"qos", std::string(facts.qos == QualityOfService::kRealtime ? "realtime" : "throughput")});
  fields.push_back({"setup_seconds", Seconds(facts.setup)});
  log_->Write(LogLevel::kInfo, "session.started", "session started", std::move(fields));
}

void SessionLog::Playing(const SessionFacts& facts) {
  if (facts.origin.span != nullptr) facts.origin.span->AddEvent("session.blocks", Progress(facts));
}

void SessionLog::Ended(const SessionFacts& facts, const absl::Status& status) {
  if (facts.origin.span != nullptr) facts.origin.span->AddEvent("session.ended", Progress(facts));
  const LogLevel level = IsServersFault(status) ? LogLevel::kError : LogLevel::kInfo;
  if (log_ == nullptr || !log_->Wants(level)) return;
  std::vector<LogField> fields = Who(facts);
  AddHow(facts, status, &fields);
  if (facts.started) {
    fields.push_back({"end", std::string(facts.end)});
    log_->Write(level, "session.ended", std::string(MessageOf(facts.end)), std::move(fields));
    return;
  }
  const std::optional<int64_t> held_back =
      refusals_.Take(absl::StrCat(absl::StatusCodeToString(status.code()), ReasonOf(status)));
  if (!held_back.has_value()) return;
  if (*held_back > 0) fields.push_back({"not_told", *held_back});
  log_->Write(level, "session.refused", "session refused", std::move(fields));
}

}  // namespace ddsp::server
