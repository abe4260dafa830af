#include "server/rpc/call_record.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

constexpr size_t kLongestRequestId = 128, kLongestTraceState = 512;
// Of methods that the server does not have: their names are a client's text.
constexpr char kOtherMethod[] = "other";

std::string NewRequestId() {
  thread_local std::mt19937_64 dice([] {
    std::random_device random;
    return (uint64_t{random()} << 32) | random();
  }());
  return absl::StrFormat("%016x%016x", dice(), dice());
}

std::string_view Find(const CallRecord::Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : std::string_view(found->second.data(), found->second.size());
}

std::optional<SpanContext> ParentOf(const CallRecord::Metadata& metadata) {
  std::optional<SpanContext> parent = ParseTraceparent(Find(metadata, "traceparent"));
  if (!parent.has_value()) return ParseGrpcTraceBin(Find(metadata, "grpc-trace-bin"));
  if (const std::string_view state = Find(metadata, "tracestate"); state.size() <= kLongestTraceState) {
    parent->state = std::string(state);
  }
  return parent;
}

std::string CodeName(const absl::Status& status) { return absl::StatusCodeToString(status.code()); }

}  // namespace

std::string AcceptedRequestId(std::string_view given) {
  const auto is_fit = [](char c) {
    return absl::ascii_isalnum(c) || std::string_view("-_.:/+=@").find(c) != std::string_view::npos;
  };
  const bool fits = given.size() <= kLongestRequestId && std::all_of(given.begin(), given.end(), is_fit);
  return fits ? std::string(given) : "";
}

void CallRecord::Begin(const CallServices* services, const std::string& method, bool is_known, const Metadata& metadata,
                       const std::string& peer) {
  services_ = services;
  method_ = is_known ? std::string(absl::StripPrefix(method, "/")) : kOtherMethod;
  peer_ = peer;
  request_id_ = AcceptedRequestId(Find(metadata, "x-request-id"));
  if (request_id_.empty()) request_id_ = NewRequestId();
  if (services_ == nullptr) return;
  begin_ = services_->clock->Now();
  services_->metrics->CallStarted(method_);
  Trace(metadata);
}

void CallRecord::Trace(const Metadata& metadata) {
  if (services_->tracer == nullptr) return;
  span_ = services_->tracer->Begin(method_, ParentOf(metadata));
  if (span_ == nullptr) return;
  span_->Set("rpc.system.name", std::string("grpc"));
  span_->Set("rpc.method", method_);
  span_->Set("client.address", peer_);
  span_->Set("ddsp.request.id", request_id_);
}

void CallRecord::SetSession(const std::string& id) {
  session_id_ = id;
  if (span_ != nullptr) span_->Set("ddsp.session.id", id);
}

absl::Status CallRecord::Keep(int64_t bytes) {
  if (services_ == nullptr || services_->memory == nullptr) return absl::OkStatus();
  if (memory_.bytes() > 0) return memory_.Grow(bytes);
  ASSIGN_OR_RETURN(memory_, services_->memory->Take(MemoryUse::kCalls, bytes));
  return absl::OkStatus();
}

CallRecord::Trailers CallRecord::End(const absl::Status& status) {
  Trailers trailers = {{"x-request-id", request_id_}};
  if (!session_id_.empty()) trailers.emplace_back("ddsp-session-id", session_id_);
  if (services_ == nullptr) return trailers;
  if (services_->load_report) trailers.emplace_back("endpoint-load-metrics-bin", services_->load_report());
  services_->metrics->CallEnded(method_, CodeName(status), absl::ToDoubleSeconds(services_->clock->Now() - begin_));
  EndSpan(status);
  Say(status);
  return trailers;
}

void CallRecord::EndSpan(const absl::Status& status) {
  if (span_ == nullptr) return;
  span_->Set("rpc.response.status_code", CodeName(status));
  if (status.ok()) return span_->End();
  const std::string reason = ReasonOf(status);
  span_->Set("error.type", reason.empty() ? CodeName(status) : reason);
  span_->EndFailed(std::string(status.message()));
}

void CallRecord::Say(const absl::Status& status) const {
  Log* const log = services_->log;
  if (log == nullptr || !session_id_.empty()) return;
  const LogLevel level = status.ok() ? LogLevel::kDebug : LogLevel::kInfo;
  if (!log->Wants(level)) return;
  const std::string code = CodeName(status), reason = ReasonOf(status);
  std::vector<LogField> fields = {{"method", method_},
                                  {"code", code},
                                  {"request_id", request_id_},
                                  {"peer", peer_},
                                  {"seconds", absl::ToDoubleSeconds(services_->clock->Now() - begin_)}};
  if (span_ != nullptr) fields.push_back({"trace_id", HexOf(span_->context().trace_id)});
  if (status.ok()) return log->Write(level, "call.ended", absl::StrCat("answered ", method_), std::move(fields));
  const std::optional<int64_t> held_back = services_->refusals->Take(absl::StrCat(method_, code, reason));
  if (!held_back.has_value()) return;
  if (!reason.empty()) fields.push_back({"reason", reason});
  fields.push_back({"error", std::string(status.message())});
  if (*held_back > 0) fields.push_back({"not_told", *held_back});
  log->Write(level, "call.failed", absl::StrCat("refused ", method_), std::move(fields));
}

}  // namespace ddsp::server
