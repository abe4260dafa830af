// The inside of a ResumingStream: a session, the link to the server that plays it now, and the thread that looks for
// another one when it must.
//
//   kSeeking --a pause is over--> kCalling --started--> kPlaying --summary, or an error that stays--> kOver
//      ^                             |                     |
//      +------ no answer, error -----+---- dead, leaves ---+            (giving up: kOver)
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "client/sdk/liveness.h"
#include "client/sdk/resumable_session.h"
#include "client/sdk/resuming_stream.h"
#include "client/sdk/server_rotation.h"
#include "client/sdk/session_link.h"
#include "core/base/mutex.h"

namespace ddsp::client {

class ResumingStream::Relay : public SessionLink::Owner {
 public:
  Relay(std::vector<std::string> servers, StreamOptions options, ResumeOptions resume);
  ~Relay() override;

  // Waits for the first server's answer.
  absl::Status Start();
  const StreamStarted& started() const { return started_; }

  absl::StatusOr<size_t> TryWrite(absl::Span<const float> samples);
  absl::Status Write(absl::Span<const float> samples);
  absl::Status WriteControls(absl::Span<const ControlFrame> frames, int frame_samples);
  absl::Status ChangeParameters(int64_t sample, const Parameters& parameters);
  absl::Status Flush(uint64_t id);
  absl::Status Finish();
  absl::StatusOr<std::optional<StreamMessage>> Read();
  void Cancel();
  std::vector<Resumption> resumptions() const;

 private:
  enum class State { kSeeking, kCalling, kPlaying, kOver };
  enum class Step { kCall, kMove, kStop };

  // The link's calls, on threads of gRPC.
  void Received(SessionLink& link, const v1::StreamSessionResponse& response) override;
  void Ended(SessionLink& link, const absl::Status& status) override;

  // The own thread's.
  void Run();
  Step Await();
  std::optional<absl::Time> Look(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Call();
  void Move();
  void DropEndedLinks();

  // Takes what the server said; returns the move that this completes.
  std::optional<Resumption> Take(const v1::StreamSessionResponse& response, std::vector<StreamMessage>* fresh)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Lose(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::optional<Resumption> CompleteMove(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void End(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Ends the session where the buffer for its input is full.
  absl::Status Kept(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status WritableStatus() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction; `started_` once Start() has returned.
  const std::vector<std::string> servers_;
  const StreamOptions options_;
  const ResumeOptions resume_;
  const Clock& clock_;
  const absl::Time opening_ends_;
  StreamStarted started_;

  // Held while messages are handed over, so that those of two links come in order. Taken before `mu_`.
  Mutex delivery_;

  mutable Mutex mu_;
  CondVar changed_;       // for readers and writers
  CondVar driver_wakes_;  // for the own thread
  State state_ ABSL_GUARDED_BY(mu_) = State::kSeeking;
  ResumableSession session_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> addresses_ ABSL_GUARDED_BY(mu_);  // behind `servers_`, of late
  ServerRotation rotation_ ABSL_GUARDED_BY(mu_);
  // Changed by the own thread alone.
  std::unique_ptr<SessionLink> link_ ABSL_GUARDED_BY(mu_);
  std::deque<std::unique_ptr<SessionLink>> old_links_;
  std::optional<Liveness> liveness_ ABSL_GUARDED_BY(mu_);
  absl::Time call_at_ ABSL_GUARDED_BY(mu_);                // kSeeking: the end of the pause
  absl::Time answer_due_ ABSL_GUARDED_BY(mu_);             // kCalling
  absl::Time playing_since_ ABSL_GUARDED_BY(mu_);          // kPlaying
  std::optional<absl::Status> loss_ ABSL_GUARDED_BY(mu_);  // the link is to be left, and why
  bool ever_started_ ABSL_GUARDED_BY(mu_) = false, progress_ ABSL_GUARDED_BY(mu_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false, input_closed_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<Resumption> move_ ABSL_GUARDED_BY(mu_);  // that is under way
  absl::Time lost_at_ ABSL_GUARDED_BY(mu_), moving_since_ ABSL_GUARDED_BY(mu_);
  std::vector<Resumption> moves_ ABSL_GUARDED_BY(mu_);
  std::deque<StreamMessage> unread_ ABSL_GUARDED_BY(mu_);
  absl::Status status_ ABSL_GUARDED_BY(mu_);  // kOver: how it ended

  std::thread driver_;  // last: it uses everything
};

}  // namespace ddsp::client
