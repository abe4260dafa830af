#include "server/rpc/stream_session_call.h"

#include "server/errors/errors.h"
#include "server/rpc/session_origin.h"

namespace ddsp::server {

StreamSessionCall::StreamSessionCall(Call& call, const SessionServices& services, SessionRoster& roster)
    : call_(call), roster_(roster), session_(std::make_shared<Session>(services, this, OriginOf(call, "grpc"))) {
  call_.record().SetSession(session_->id());
  roster_.Add(session_);
  call_.Read();
}

StreamSessionCall::~StreamSessionCall() {
  session_->Detach();
  roster_.Remove(session_.get());
}

void StreamSessionCall::OnRead(grpc::ByteBuffer* message) {
  if (message == nullptr) return session_->OnHalfClose();
  if (!Parse(message, &request_)) {
    return session_->End(MakeError(Reason::kMessageMalformed, "a message is no ddsp.v1.StreamSessionRequest"));
  }
  session_->OnRequest(request_);
  call_.Read();
}

}  // namespace ddsp::server
