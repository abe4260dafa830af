#include "server/rpc/stream_session_call.h"

namespace ddsp::server {

StreamSessionCall::StreamSessionCall(Call& call, const SessionServices& services, SessionRoster& roster)
    : call_(call),
      record_(kStreamSessionMethod, *services.metrics, *services.clock),
      roster_(roster),
      session_(std::make_shared<Session>(services, this)) {
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
    return session_->End(absl::InvalidArgumentError("a message is no ddsp.v1.StreamSessionRequest"));
  }
  session_->OnRequest(request_);
  call_.Read();
}

void StreamSessionCall::Finish(const absl::Status& status) {
  record_.End(status);
  call_.Finish(status);
}

}  // namespace ddsp::server
