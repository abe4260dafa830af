// Carries one session over one call: its reactions never block.
#pragma once

#include <memory>

#include "ddsp/v1/session.pb.h"
#include "server/rpc/call.h"
#include "server/session/session.h"
#include "server/session/session_roster.h"

namespace ddsp::server {

class StreamSessionCall : public CallHandler, public SessionOutlet {
 public:
  // Everything referred to outlives it.
  StreamSessionCall(Call& call, const SessionServices& services, SessionRoster& roster);
  ~StreamSessionCall() override;

  void OnRead(grpc::ByteBuffer* message) override;
  void OnWritten(bool ok) override { session_->OnWritten(ok); }
  void OnCancel() override { session_->OnGone(); }

  void Write(v1::StreamSessionResponse message, bool more) override { call_.Write(message, more); }
  void Finish(const absl::Status& status) override { call_.Finish(status); }
  void GiveUp() override { call_.Cancel(); }

 private:
  Call& call_;
  SessionRoster& roster_;
  const std::shared_ptr<Session> session_;
  v1::StreamSessionRequest request_;  // of the last read: its memory is used again
};

}  // namespace ddsp::server
