#include "server/rpc/synthesis_service.h"

#include <utility>

#include "server/errors/errors.h"
#include "server/rpc/adjusted_render.h"
#include "server/rpc/render_reactor.h"
#include "server/rpc/status_details.h"
#include "server/rpc/stream_session_reactor.h"
#include "server/rpc/unary_call.h"

namespace ddsp::server {
namespace {

// Ends a call at once, before any initial metadata: a client's stock retry may take it elsewhere.
class RefusingReactor : public grpc::ServerBidiReactor<v1::StreamSessionRequest, v1::StreamSessionResponse> {
 public:
  RefusingReactor(grpc::CallbackServerContext* context, const absl::Status& status) {
    for (const auto& [key, value] : TrailersOf(status)) context->AddTrailingMetadata(key, value);
    Finish(ToGrpc(status));
  }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerBidiReactor<v1::StreamSessionRequest, v1::StreamSessionResponse>* SynthesisService::StreamSession(
    grpc::CallbackServerContext* context) {
  if (const absl::Status welcome = roster_.Welcome(); !welcome.ok()) {
    CallRecord(kStreamSessionMethod, *services_.metrics, *services_.clock).End(welcome);
    services_.metrics->SessionRejected("unknown", ReasonOf(welcome));
    return new RefusingReactor(context, welcome);
  }
  return new StreamSessionReactor(context, services_, roster_);
}

grpc::ServerUnaryReactor* SynthesisService::Render(grpc::CallbackServerContext* context,
                                                   const v1::RenderRequest* request, v1::RenderResponse* response) {
  absl::Status refused = roster_.Welcome();
  if (!refused.ok()) services_.metrics->SessionRejected("unknown", ReasonOf(refused));
  if (refused.ok()) refused = CheckRender(*request);
  if (!refused.ok()) {
    auto* reactor = new UnaryReactor(context);
    reactor->End(refused);
    return reactor;
  }
  auto* reactor = new RenderReactor(context, services_, roster_, response);
  if (!request->config().has_adjust()) {
    reactor->Start({.request = *request});
    return reactor;
  }
  const absl::Status posted = queue_.Post([=, this] {
    absl::StatusOr<RenderInput> input = AdjustRender(*request, registry_, services_.limits);
    if (input.ok()) return reactor->Start(*std::move(input));
    services_.metrics->SessionRejected("unknown", ReasonOf(input.status()));
    reactor->Refuse(input.status());
  });
  if (!posted.ok()) reactor->Refuse(posted);
  return reactor;
}

}  // namespace ddsp::server
