// The gRPC side of a SynthesisStream: one call, its queues, and the reactions of the transport.
//
//   kIdle --Start()--> kOpening --started--> kOpen --last message--> kClosed --OnDone--> kDone
//                          \________________________ any error ________/
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/sdk/input_blocks.h"
#include "client/sdk/output_blocks.h"
#include "client/sdk/stream_options.h"
#include "client/sdk/synthesis_stream.h"
#include "core/base/mutex.h"
#include "ddsp/v1/session.grpc.pb.h"

namespace ddsp::client {

class SynthesisStream::Call : public grpc::ClientBidiReactor<v1::StreamSessionRequest, v1::StreamSessionResponse> {
 public:
  Call(std::shared_ptr<grpc::Channel> channel, StreamOptions options);
  // Waits for the call to end.
  ~Call() override;

  // Sends the config and waits for `started`.
  absl::Status Start();
  // Constant once Start() has returned OK.
  const StreamStarted& started() const { return started_; }

  absl::StatusOr<size_t> TryWrite(absl::Span<const float> samples);
  absl::Status Write(absl::Span<const float> samples);
  absl::Status WriteControls(absl::Span<const ControlFrame> frames, int frame_samples);
  absl::Status Send(v1::StreamSessionRequest request);
  absl::Status SendParameters(int64_t sample, const Parameters& parameters);
  absl::Status Finish();
  absl::StatusOr<std::optional<StreamMessage>> Read();
  void Cancel() { context_.TryCancel(); }

 private:
  enum class State { kIdle, kOpening, kOpen, kClosed, kDone };

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  // Returns a message for the reader, if the response holds one.
  absl::StatusOr<std::optional<StreamMessage>> TakeResponse();
  absl::Status TakeStarted(const v1::SessionStarted& started);
  void TakeGrant(int64_t samples);
  void GrantUnread(const StreamMessage& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Fail(absl::Status status);

  absl::StatusOr<size_t> AddSamples(absl::Span<const float> samples) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<int64_t> AddControls(absl::Span<const ControlFrame> frames, int frame_samples)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status CompleteInput() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Enqueue(std::vector<v1::AudioBlock> blocks) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status WritableStatus() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::shared_ptr<grpc::Channel> channel_;
  const StreamOptions options_;
  const std::unique_ptr<v1::Synthesis::Stub> stub_;
  grpc::ClientContext context_;

  // Touched by reactions alone, which gRPC runs one after the other.
  v1::StreamSessionResponse response_;
  std::unique_ptr<OutputBlocks> output_;
  StreamStarted started_;

  Mutex mu_;
  CondVar changed_;
  State state_ ABSL_GUARDED_BY(mu_) = State::kIdle;
  absl::Status status_ ABSL_GUARDED_BY(mu_);  // how the call ended
  std::unique_ptr<InputBlocks> input_ ABSL_GUARDED_BY(mu_);
  std::deque<v1::StreamSessionRequest> queue_ ABSL_GUARDED_BY(mu_);  // its front is being written
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finishing_ ABSL_GUARDED_BY(mu_) = false;       // Finish() was called
  bool input_complete_ ABSL_GUARDED_BY(mu_) = false;  // nothing will be added to the queue
  bool half_closed_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t control_seq_ ABSL_GUARDED_BY(mu_) = 0;
  std::optional<int64_t> total_output_ ABSL_GUARDED_BY(mu_);
  std::deque<StreamMessage> unread_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ddsp::client
