// Carries one session over one gRPC call: one read and one write under way, reactions that never block.
#pragma once

#include <memory>

#include "ddsp/v1/session.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "server/rpc/call_record.h"
#include "server/session/session.h"
#include "server/session/session_roster.h"

namespace ddsp::server {

inline constexpr char kStreamSessionMethod[] = "ddsp.v1.Synthesis/StreamSession";

class StreamSessionReactor : public grpc::ServerBidiReactor<v1::StreamSessionRequest, v1::StreamSessionResponse>,
                             public SessionOutlet {
 public:
  // Deletes itself when the call is done. Everything referred to outlives it.
  StreamSessionReactor(grpc::CallbackServerContext* context, const SessionServices& services, SessionRoster& roster);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override { session_->OnWritten(ok); }
  void OnCancel() override { session_->OnGone(); }
  void OnDone() override;

  void Write(v1::StreamSessionResponse message, bool more) override;
  void Finish(const absl::Status& status) override;
  void GiveUp() override { context_->TryCancel(); }

 private:
  grpc::CallbackServerContext* const context_;
  CallRecord record_;
  SessionRoster& roster_;
  const std::shared_ptr<Session> session_;
  v1::StreamSessionRequest request_;    // of the read under way
  v1::StreamSessionResponse response_;  // of the write under way
};

}  // namespace ddsp::server
