// Synthesis.Render: a session that is fed from one message and answers with one. What it gives is what a stream would.
#pragma once

#include <memory>

#include "core/base/mutex.h"
#include "ddsp/v1/session.pb.h"
#include "grpcpp/grpcpp.h"
#include "server/rpc/adjusted_render.h"
#include "server/session/session.h"
#include "server/session/session_roster.h"

namespace ddsp::server {

class RenderReactor : public grpc::ServerUnaryReactor, public SessionOutlet {
 public:
  // Deletes itself when the call is done. Everything referred to outlives it.
  RenderReactor(grpc::CallbackServerContext* context, const SessionServices& services, SessionRoster& roster,
                v1::RenderResponse* response);
  // Either, once; from any thread.
  void Start(RenderInput input);
  void Refuse(const absl::Status& status) { Finish(status); }

  void OnCancel() override;
  void OnDone() override;

  void Write(v1::StreamSessionResponse message, bool more) override;
  void Finish(const absl::Status& status) override;
  void GiveUp() override { context_->TryCancel(); }

 private:
  // False: the call was cancelled.
  bool Publish(const std::shared_ptr<Session>& session);
  // Null before it was published.
  std::shared_ptr<Session> session();
  void Take(const v1::StreamSessionResponse& message);
  // Sends what the session has credit for, and the end after the last of it.
  void Feed();
  void FeedAudio();
  void FeedControls();
  int64_t FrameSamples(int64_t frame) const;

  grpc::CallbackServerContext* const context_;
  const SessionServices services_;
  SessionRoster& roster_;
  v1::RenderResponse* const response_;

  // Constant after Start().
  v1::RenderRequest request_;
  int64_t control_samples_ = 0;

  Mutex mu_;
  std::shared_ptr<Session> session_ ABSL_GUARDED_BY(mu_);
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;

  // Touched by one write at a time.
  v1::StreamSessionResponse message_;
  int64_t credit_ = 0;  // samples
  int64_t fed_ = 0;     // bytes of audio, or control frames
  uint64_t seq_ = 0;
  bool ended_ = false;
};

// Errors: FORMAT_UNSUPPORTED for what has no place in one message, INVALID_CONFIG for audio and controls that do not
// belong to the config and for an adjustment of anything but audio into audio, INVALID_CONTROL for frames of more than
// half a second.
absl::Status CheckRender(const v1::RenderRequest& request);

}  // namespace ddsp::server
