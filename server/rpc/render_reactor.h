// Synthesis.Render: a session that is fed from one message and answers with one. What it gives is what a stream would.
#pragma once

#include <memory>

#include "ddsp/v1/session.pb.h"
#include "grpcpp/grpcpp.h"
#include "server/session/session.h"
#include "server/session/session_roster.h"

namespace ddsp::server {

class RenderReactor : public grpc::ServerUnaryReactor, public SessionOutlet {
 public:
  // Deletes itself when the call is done. Everything referred to outlives it.
  RenderReactor(grpc::CallbackServerContext* context, const SessionServices& services, SessionRoster& roster,
                const v1::RenderRequest& request, v1::RenderResponse* response);
  void Start();

  void OnCancel() override { session_->OnGone(); }
  void OnDone() override;

  void Write(v1::StreamSessionResponse message, bool more) override;
  void Finish(const absl::Status& status) override;
  void GiveUp() override { context_->TryCancel(); }

 private:
  void Take(const v1::StreamSessionResponse& message);
  // Sends what the session has credit for, and the end after the last of it.
  void Feed();
  void FeedAudio();
  void FeedControls();

  grpc::CallbackServerContext* const context_;
  Executor& crew_;
  const int64_t max_block_bytes_;
  SessionRoster& roster_;
  const v1::RenderRequest& request_;
  v1::RenderResponse* const response_;
  const std::shared_ptr<Session> session_;

  // Touched by one write at a time.
  v1::StreamSessionResponse message_;
  int64_t credit_ = 0;  // samples
  int64_t fed_ = 0;     // bytes of audio, or control frames
  uint64_t seq_ = 0;
  bool ended_ = false;
};

// Errors: FORMAT_UNSUPPORTED for what has no place in one message, INVALID_CONFIG for audio and controls that do not
// belong to the config, INVALID_CONTROL for frames of more than half a second.
absl::Status CheckRender(const v1::RenderRequest& request);

}  // namespace ddsp::server
