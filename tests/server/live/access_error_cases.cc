#include "ddsp/v1/graph.pb.h"
#include "ddsp/v1/models.pb.h"
#include "grpc/health/v1/health.pb.h"
#include "tests/server/live/error_cases.h"

namespace ddsp::testing {
namespace {

using grpc::StatusCode;

constexpr char kStream[] = "/ddsp.v1.Synthesis/StreamSession", kRun[] = "/ddsp.v1.Graph/Run";

// A call of a secured server, which nobody has said anything about before.
Refused ServeSecured(ErrorRig& rig, RawHttp2::Headers headers) {
  rig.AskForKeys();
  rig.Serve();
  // Not even that there is no such voice.
  return Refuse(kStream, Request(FloatConfig("kazoo")), std::move(headers));
}

// A call that lasts, and is no session: a stream of sequences that have not begun.
class HeldCall {
 public:
  explicit HeldCall(int port)
      : client_(port), stream_(client_.Begin("/inference.GRPCInferenceService/ModelStreamInfer", With("player"))) {}

 private:
  RawHttp2 client_;
  int stream_;
};

Refused HaveOneCallMore(ErrorRig& rig) {
  rig.AskForKeys("max_calls: 1");
  rig.Serve();
  auto held = std::make_shared<HeldCall>(rig.server->port());
  // It is on its way; that it has come is seen by what is refused for it.
  const Refused call = Refuse(kRun, v1::RunGraphRequest(), With("player"), std::move(held));
  while (rig.Ask(call).reason != "CALL_QUOTA_EXCEEDED") std::this_thread::yield();
  return call;
}

}  // namespace

std::vector<ErrorCase> AccessErrors() {
  return {
      {.reason = "TOKEN_MISSING",
       .code = StatusCode::UNAUTHENTICATED,
       .refuse = [](ErrorRig& rig) { return ServeSecured(rig, {}); }},
      {.reason = "TOKEN_INVALID",
       .code = StatusCode::UNAUTHENTICATED,
       .refuse = [](ErrorRig& rig) { return ServeSecured(rig, With("nobody")); }},
      {.reason = "ROLE_MISSING",
       .code = StatusCode::PERMISSION_DENIED,
       .values = {"role", "tenant"},
       .refuse = [](ErrorRig& rig) { return ServeSecured(rig, With("publisher")); }},
      {.reason = "SESSION_QUOTA_EXCEEDED",
       .code = StatusCode::RESOURCE_EXHAUSTED,
       .values = {"limit", "tenant"},
       .quota_subject = "tenant:studio",
       .refuse =
           [](ErrorRig& rig) {
             rig.AskForKeys("max_sessions: 2");
             rig.options.max_sessions = 4;
             rig.Serve();
             rig.options.max_sessions = 2;  // as many as are to be there afterwards
             const auto both = std::make_shared<std::vector<std::shared_ptr<LiveCall>>>();
             for (int i = 0; i < 2; ++i) both->push_back(rig.Play(FloatConfig(), With("player")));
             return Refuse(kStream, Request(FloatConfig()), With("player"), both);
           }},
      {.reason = "CALL_QUOTA_EXCEEDED",
       .code = StatusCode::RESOURCE_EXHAUSTED,
       .values = {"limit", "tenant"},
       .quota_subject = "tenant:studio",
       .refuse = HaveOneCallMore},
      {.reason = "METHOD_NOT_FOUND",
       .code = StatusCode::UNIMPLEMENTED,
       .values = {"method"},
       .refuse =
           [](ErrorRig& rig) {
             rig.AskForKeys();
             rig.Serve();
             return Refuse("/ddsp.v1.Synthesis/Sing", Request(FloatConfig()), With("player"));
           }},
      {.reason = "SERVICE_NOT_FOUND",
       .code = StatusCode::NOT_FOUND,
       .values = {"service"},
       .refuse =
           [](ErrorRig& rig) {
             rig.Serve();
             grpc::health::v1::HealthCheckRequest request;
             request.set_service("model/kazoo");
             return Refuse("/grpc.health.v1.Health/Check", request);
           }},
      {.reason = "ADMIN_PORT_ONLY",
       .code = StatusCode::PERMISSION_DENIED,
       .refuse =
           [](ErrorRig& rig) {
             rig.ServeRepository();
             v1::LoadModelRequest request;
             request.set_name("models/violin");
             return Refuse("/ddsp.v1.Models/Load", request);
           }},
  };
}

}  // namespace ddsp::testing
