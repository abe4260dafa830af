#pragma once

#include "ddsp/v1/session.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "server/registry/registry.h"
#include "server/rpc/work_queue.h"
#include "server/session/session.h"
#include "server/session/session_roster.h"

namespace ddsp::server {

// ddsp.v1.Synthesis on the callback API.
class SynthesisService : public v1::Synthesis::CallbackService {
 public:
  // Everything referred to outlives the service.
  SynthesisService(const SessionServices& services, SessionRoster& roster, const Registry& registry, WorkQueue& queue)
      : services_(services), roster_(roster), registry_(registry), queue_(queue) {}

  grpc::ServerBidiReactor<v1::StreamSessionRequest, v1::StreamSessionResponse>* StreamSession(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* Render(grpc::CallbackServerContext* context, const v1::RenderRequest* request,
                                   v1::RenderResponse* response) override;

 private:
  const SessionServices services_;
  SessionRoster& roster_;
  const Registry& registry_;
  WorkQueue& queue_;  // reads whole recordings
};

}  // namespace ddsp::server
