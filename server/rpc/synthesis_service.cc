#include "server/rpc/synthesis_service.h"

#include "server/errors/errors.h"
#include "server/rpc/render_call.h"
#include "server/rpc/stream_session_call.h"

namespace ddsp::server {
namespace {

// Ends a call at once, before any initial metadata: a client's stock retry may take it elsewhere.
class RefusedCall : public CallHandler {
 public:
  RefusedCall(Call& call, const absl::Status& status) { call.Finish(status); }
  void OnRead(grpc::ByteBuffer*) override {}
};

}  // namespace

void SynthesisService::AddMethods(MethodTable* methods) {
  methods->Add("ddsp.v1.Synthesis", "StreamSession", [this](Call& call) { return StreamSession(call); });
  methods->Add("ddsp.v1.Synthesis", "Render", [this](Call& call) {
    return std::make_unique<RenderCall>(call, services_, roster_, registry_, queue_);
  });
}

std::unique_ptr<CallHandler> SynthesisService::StreamSession(Call& call) {
  if (const absl::Status welcome = roster_.Welcome(); !welcome.ok()) {
    services_.metrics->SessionRejected("unknown", ReasonOf(welcome));
    return std::make_unique<RefusedCall>(call, welcome);
  }
  return std::make_unique<StreamSessionCall>(call, services_, roster_);
}

}  // namespace ddsp::server
