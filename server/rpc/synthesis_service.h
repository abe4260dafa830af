#pragma once

#include "ddsp/v1/session.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "server/session/session.h"
#include "server/session/session_roster.h"

namespace ddsp::server {

// ddsp.v1.Synthesis on the callback API.
class SynthesisService : public v1::Synthesis::CallbackService {
 public:
  // Everything referred to outlives the service.
  SynthesisService(const SessionServices& services, SessionRoster& roster) : services_(services), roster_(roster) {}

  grpc::ServerBidiReactor<v1::StreamSessionRequest, v1::StreamSessionResponse>* StreamSession(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* Render(grpc::CallbackServerContext* context, const v1::RenderRequest* request,
                                   v1::RenderResponse* response) override;

 private:
  const SessionServices services_;
  SessionRoster& roster_;
};

}  // namespace ddsp::server
