// Who looks after the server: lists, watches, kills, health checks, scrapes, and voices that come and go.
#include "absl/strings/str_cat.h"
#include "client/cli/http_get.h"
#include "client/cli/scrape.h"
#include "client/sdk/channel.h"
#include "core/base/status_macros.h"
#include "ddsp/v1/models.grpc.pb.h"
#include "ddsp/v1/sessions.grpc.pb.h"
#include "grpc/health/v1/health.pb.h"
#include "load-tests/soak/generic_call.h"
#include "load-tests/soak/outcome.h"
#include "load-tests/soak/raw_session.h"
#include "load-tests/soak/scenario.h"
#include "load-tests/soak/understudy.h"

namespace ddsp::soak {
namespace {

absl::Status ListModels(Visit& visit) {
  const auto stub = v1::Models::NewStub(visit.Connect());
  grpc::ClientContext context;
  v1::ListModelsResponse models;
  RETURN_IF_ERROR(Expect(stub->List(&context, {}, &models), {"OK"}));
  for (const v1::Model& model : models.models()) {
    grpc::ClientContext of_one;
    v1::GetModelRequest request;
    v1::Model response;
    request.set_name(model.name());
    RETURN_IF_ERROR(Expect(stub->Get(&of_one, request, &response), {"OK"}));
  }
  return absl::OkStatus();
}

absl::Status WatchModels(Visit& visit) {
  const auto stub = v1::Models::NewStub(visit.Connect());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(visit.Between(100, 6000)));
  const auto reader = stub->Watch(&context, {});
  v1::WatchModelsResponse response;
  int seen = 0;
  while (reader->Read(&response)) ++seen;
  RETURN_IF_ERROR(Expect(reader->Finish(), {"DEADLINE_EXCEEDED"}));
  return seen > 0 ? absl::OkStatus() : absl::InternalError("a watcher saw no model");
}

absl::Status ListSessions(Visit& visit) {
  const auto stub = v1::Sessions::NewStub(client::MakeChannel(visit.place().admin));
  v1::ListSessionsRequest request;
  request.set_page_size(static_cast<int32_t>(visit.Between(1, 20)));
  do {
    grpc::ClientContext context;
    v1::ListSessionsResponse response;
    RETURN_IF_ERROR(Expect(stub->List(&context, request, &response), {"OK"}));
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

absl::Status KillASession(Visit& visit) {
  RawSession session(visit.Connect());
  session.Begin(FloatConfig(visit.Voice()));
  session.SendAudio(visit.Music(visit.Between(0, 8000)));
  const auto stub = v1::Sessions::NewStub(client::MakeChannel(visit.place().admin));
  grpc::ClientContext context, again;
  v1::KillSessionRequest request;
  v1::Session killed;
  request.set_id(session.started().session_id());
  RETURN_IF_ERROR(Expect(stub->Kill(&context, request, &killed), {"OK"}));
  RETURN_IF_ERROR(Expect(session.End(), {"SESSION_KILLED"}));
  request.set_id("nobody");
  return Expect(stub->Kill(&again, request, &killed), {"SESSION_NOT_FOUND"});
}

absl::Status CheckHealth(Visit& visit) {
  grpc::health::v1::HealthCheckRequest request;
  const auto channel = visit.Chance(0.5) ? visit.Connect() : client::MakeChannel(visit.place().admin);
  RETURN_IF_ERROR(
      Expect(CallAnything(channel, "/grpc.health.v1.Health/Check", {request.SerializeAsString()}, 10), {"OK"}));
  RETURN_IF_ERROR(Expect(CallAnything(channel, "/grpc.health.v1.Health/List", {""}, 10), {"OK"}));
  RETURN_IF_ERROR(
      Expect(CallAnything(channel, "/grpc.health.v1.Health/Watch", {request.SerializeAsString()}, visit.Real(0.1, 2)),
             {"DEADLINE_EXCEEDED"}));
  request.set_service("kazoo");
  return Expect(CallAnything(channel, "/grpc.health.v1.Health/Check", {request.SerializeAsString()}, 10),
                {"SERVICE_NOT_FOUND"});
}

absl::Status LookAtMetrics(Visit& visit) {
  for (int64_t looks = visit.Between(1, 5); looks > 0; --looks) {
    ASSIGN_OR_RETURN(const std::string text, client::HttpGet(visit.place().metrics, "/metrics", absl::Seconds(10)));
    ASSIGN_OR_RETURN(const client::Scrape scrape, client::Scrape::Parse(text));
    if (!scrape.Has("ddsp_sessions_active")) return absl::InternalError("the scrape has no ddsp_sessions_active");
  }
  return absl::OkStatus();
}

// What only operators may do, at the wrong door.
absl::Status ActAsOperator(Visit& visit) {
  const auto stub = v1::Models::NewStub(visit.Connect());
  grpc::ClientContext context;
  v1::UnloadModelRequest request;
  v1::Model model;
  request.set_name("models/" + visit.Voice());
  return Expect(stub->Unload(&context, request, &model), {"ADMIN_PORT_ONLY"});
}

// A voice is taken away under its sessions, who play to their ends, and comes back.
absl::Status SwapTheUnderstudy(Visit& visit) {
  const Understudy understudy;  // nobody else touches it meanwhile
  const auto stub = v1::Models::NewStub(client::MakeChannel(visit.place().admin));
  grpc::ClientContext unloading, loading;
  v1::UnloadModelRequest unload;
  v1::LoadModelRequest load;
  v1::Model model;
  unload.set_name(absl::StrCat("models/", kUnderstudy));
  load.set_name(unload.name());
  RawSession session(visit.Connect());
  if (!session.Begin(FloatConfig(kUnderstudy))) return session.End();
  session.SendAudio(visit.Music(3200));
  RETURN_IF_ERROR(Expect(stub->Unload(&unloading, unload, &model), {"OK"}));
  RawSession late(visit.Connect());
  late.SendConfig(FloatConfig(kUnderstudy));
  RETURN_IF_ERROR(Expect(late.End(), {"MODEL_NOT_READY"}));
  session.SendAudio(visit.Music(3200));
  session.HalfClose();
  RETURN_IF_ERROR(Expect(session.End(), {"OK"}));
  RETURN_IF_ERROR(ExpectCount("samples", session.sent_samples(), session.heard_samples()));
  return Expect(stub->Load(&loading, load, &model), {"OK"});
}

// More at once than the voice has slots: some are told to come again, and when.
absl::Status Crowd(Visit& visit) {
  const Understudy understudy;
  std::vector<std::unique_ptr<RawSession>> sessions;
  int refused = 0;
  for (int i = 0; i < kUnderstudySlots + 3; ++i) {
    sessions.push_back(std::make_unique<RawSession>(visit.Connect()));
    if (sessions.back()->Begin(FloatConfig(kUnderstudy))) continue;
    RETURN_IF_ERROR(Expect(sessions.back()->End(), {"SESSION_SLOTS_EXHAUSTED"}));
    ++refused;
  }
  for (const auto& session : sessions) session->HalfClose();
  return refused >= 3 ? absl::OkStatus() : ExpectCount("refusals", 3, refused);
}

}  // namespace

Scenarios OperatorScenarios() {
  return {{"lists-models", 10, ListModels},
          {"watches-models", 8, WatchModels},
          {"lists-sessions", 10, ListSessions},
          {"kills-a-session", 10, KillASession},
          {"checks-health", 12, CheckHealth},
          {"looks-at-metrics", 12, LookAtMetrics},
          {"plays-operator", 5, ActAsOperator},
          {"swaps-a-voice", 3, SwapTheUnderstudy},
          {"crowd", 6, Crowd}};
}

}  // namespace ddsp::soak
