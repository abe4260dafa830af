// One StreamSession call of a session that may have several: carries messages and knows nothing of what they mean.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <deque>
#include <memory>

#include "absl/status/status.h"
#include "core/base/mutex.h"
#include "ddsp/v1/session.grpc.pb.h"

namespace ddsp::client {

class SessionLink : private grpc::ClientBidiReactor<v1::StreamSessionRequest, v1::StreamSessionResponse> {
 public:
  using Request = std::shared_ptr<const v1::StreamSessionRequest>;

  // Called on threads of gRPC, one call after the other. Must not destroy the link.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void Received(SessionLink& link, const v1::StreamSessionResponse& response) = 0;
    // The last call, but that of a link that was never started.
    virtual void Ended(SessionLink& link, const absl::Status& status) = 0;
  };

  // `owner` outlives the link.
  SessionLink(std::shared_ptr<grpc::Channel> channel, Owner* owner);
  // Cancels the call and waits for its end.
  ~SessionLink() override;

  // Calls the server; `first` is sent first. Once.
  void Start(Request first);
  // Sends when it can. What is sent after the end is dropped.
  void Send(Request request);
  // Nothing follows what was sent.
  void CloseInput();
  void Cancel() { context_.TryCancel(); }
  bool ended() const;

 private:
  enum class State { kIdle, kOpen, kClosing, kEnded };

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::shared_ptr<grpc::Channel> channel_;
  Owner* const owner_;
  const std::unique_ptr<v1::Synthesis::Stub> stub_;
  grpc::ClientContext context_;
  v1::StreamSessionResponse response_;  // of the read under way

  mutable Mutex mu_;
  CondVar changed_;
  State state_ ABSL_GUARDED_BY(mu_) = State::kIdle;
  std::deque<Request> queue_ ABSL_GUARDED_BY(mu_);  // its front is being written
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool input_closed_ ABSL_GUARDED_BY(mu_) = false, half_closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace ddsp::client
