// Synthesis.Render: a session that is fed from one message and answers with one. What it gives is what a stream would.
#pragma once

#include <memory>

#include "core/base/mutex.h"
#include "ddsp/v1/session.pb.h"
#include "server/registry/registry.h"
#include "server/rpc/adjusted_render.h"
#include "server/rpc/call.h"
#include "server/rpc/work_queue.h"
#include "server/session/session.h"
#include "server/session/session_roster.h"

namespace ddsp::server {

class RenderCall : public CallHandler, public SessionOutlet {
 public:
  // Everything referred to outlives it. `queue` reads whole recordings.
  RenderCall(Call& call, const SessionServices& services, SessionRoster& roster, const Registry& registry,
             WorkQueue& queue);
  ~RenderCall() override;

  void OnRead(grpc::ByteBuffer* message) override;
  void OnCancel() override;

  void Write(v1::StreamSessionResponse message, bool more) override;
  void Finish(const absl::Status& status) override;
  void GiveUp() override { call_.Cancel(); }

 private:
  void Begin(const v1::RenderRequest& request);
  void BeginAdjusted(const v1::RenderRequest& request);
  void Start(RenderInput input);
  void Refuse(const absl::Status& status) { Finish(status); }
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

  Call& call_;
  const SessionServices services_;
  SessionRoster& roster_;
  const Registry& registry_;
  WorkQueue& queue_;

  // Constant after Start().
  v1::RenderRequest request_;
  int64_t control_samples_ = 0;

  Mutex mu_;
  std::shared_ptr<Session> session_ ABSL_GUARDED_BY(mu_);
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;

  // Touched by one write at a time.
  v1::StreamSessionResponse message_;
  v1::RenderResponse response_;
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
