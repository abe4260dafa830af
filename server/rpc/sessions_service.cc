#include "server/rpc/sessions_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/errors/echo.h"
#include "server/errors/errors.h"
#include "server/rpc/unary_call.h"
#include "server/session/session.h"

namespace ddsp::server {
namespace {

constexpr char kService[] = "ddsp.v1.Sessions";
constexpr int kUsualPage = 100, kLargestPage = 1000;
constexpr size_t kLongestReason = 256;

void Set(absl::Duration duration, google::protobuf::Duration* message) {
  message->set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  message->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
}

v1::AudioFormat ToMessage(const WireFormat& format) {
  v1::AudioFormat message;
  message.set_encoding(format.encoding == Encoding::kOpus    ? v1::OPUS
                       : format.encoding == Encoding::kPcm16 ? v1::PCM_S16LE
                                                             : v1::PCM_F32LE);
  message.set_sample_rate_hz(format.sample_rate);
  message.set_channels(1);
  return message;
}

v1::SessionPhase ToMessage(SessionState state) {
  switch (state) {
    case SessionState::kAwaitingConfig:
      return v1::SESSION_PHASE_AWAITING_CONFIG;
    case SessionState::kOpening:
      return v1::SESSION_PHASE_OPENING;
    case SessionState::kLive:
      return v1::SESSION_PHASE_LIVE;
    case SessionState::kFinishing:
      return v1::SESSION_PHASE_FINISHING;
    default:
      return v1::SESSION_PHASE_ENDED;
  }
}

// "violin" is any version of it.
bool IsOf(const SessionFacts& facts, const std::string& model) {
  return model.empty() || facts.model == model || facts.model.rfind(model + "/", 0) == 0;
}

absl::Status Kill(SessionRoster& roster, const v1::KillSessionRequest& request, v1::Session* response) {
  if (request.reason().size() > kLongestReason) {
    const std::string is = absl::StrCat("is ", request.reason().size(), " bytes, expected at most ", kLongestReason);
    return MakeFieldError(Reason::kInvalidSessionRequest, "reason " + is, {{"reason", is}});
  }
  const std::string reason = request.reason().empty() ? "ended by an operator" : request.reason();
  for (const std::shared_ptr<Session>& session : roster.Sessions()) {
    if (session->id() != request.id()) continue;
    *response = ToMessage(session->Facts());
    session->End(MakeError(Reason::kSessionKilled, reason, {{"operator_reason", reason}}));
    return absl::OkStatus();
  }
  const std::string id = Echo(request.id());
  return MakeError(Reason::kSessionNotFound, absl::StrCat("there is no session '", id, "'"), {{"session_id", id}});
}

}  // namespace

v1::Session ToMessage(const SessionFacts& facts) {
  v1::Session message;
  message.set_id(facts.id);
  message.set_state(ToMessage(facts.state));
  message.set_transport(facts.origin.transport);
  message.set_peer(facts.origin.peer);
  message.set_request_id(facts.origin.request_id);
  Set(facts.age, message.mutable_age());
  Set(facts.idle, message.mutable_idle());
  if (facts.model.empty()) return message;
  message.set_model(facts.model);
  *message.mutable_input_format() = ToMessage(facts.input_format);
  *message.mutable_output_format() = ToMessage(facts.output_format);
  message.set_qos(facts.qos == QualityOfService::kRealtime ? v1::QUALITY_OF_SERVICE_REALTIME
                                                           : v1::QUALITY_OF_SERVICE_THROUGHPUT);
  message.set_input_samples(static_cast<uint64_t>(facts.input_samples));
  message.set_output_samples(static_cast<uint64_t>(facts.output_samples));
  message.set_output_blocks(static_cast<uint64_t>(facts.output_blocks));
  message.set_underruns(static_cast<uint64_t>(facts.underruns));
  message.set_late_blocks(static_cast<uint64_t>(facts.late_blocks));
  if (facts.output_blocks == 0) return message;
  Set(facts.latency_p50, message.mutable_latency_p50());
  Set(facts.latency_p99, message.mutable_latency_p99());
  return message;
}

absl::Status ListSessions(std::vector<SessionFacts> sessions, const v1::ListSessionsRequest& request,
                          v1::ListSessionsResponse* response) {
  if (request.page_size() < 0) {
    const std::string is = absl::StrCat("is ", request.page_size(), ", expected 0 or more");
    return MakeFieldError(Reason::kInvalidSessionRequest, "page_size " + is, {{"page_size", is}});
  }
  const int page = request.page_size() == 0 ? kUsualPage : std::min<int>(request.page_size(), kLargestPage);
  std::sort(sessions.begin(), sessions.end(), [](const SessionFacts& a, const SessionFacts& b) { return a.id < b.id; });
  // The token is the last id of the page before: sessions come and go meanwhile.
  for (const SessionFacts& facts : sessions) {
    if (facts.id <= request.page_token() || !IsOf(facts, request.model())) continue;
    if (response->sessions_size() == page) {
      response->set_next_page_token(response->sessions(page - 1).id());
      break;
    }
    *response->add_sessions() = ToMessage(facts);
  }
  return absl::OkStatus();
}

void AddSessionsMethods(SessionRoster& roster, MethodTable* methods) {
  methods->Add(kService, "List", [&roster](Call& call) {
    return MakeUnaryCall<v1::ListSessionsRequest, v1::ListSessionsResponse>(
        call, nullptr, [&roster](const v1::ListSessionsRequest& request, v1::ListSessionsResponse* response) {
          std::vector<SessionFacts> facts;
          for (const auto& session : roster.Sessions()) facts.push_back(session->Facts());
          return ListSessions(std::move(facts), request, response);
        });
  });
  methods->Add(kService, "Kill", [&roster](Call& call) {
    return MakeUnaryCall<v1::KillSessionRequest, v1::Session>(
        call, nullptr, [&roster](const v1::KillSessionRequest& request, v1::Session* response) {
          return Kill(roster, request, response);
        });
  });
}

}  // namespace ddsp::server
