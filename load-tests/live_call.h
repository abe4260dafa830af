// One StreamSession call, driven by completions: no thread, no lock, nothing waits.
//
// Hundreds of clients share the machine with the server that they measure, so they must be cheap: all calls live on one
// completion queue, which one thread looks at (ClientLoop). The SDK, which serves programs with threads of their own,
// costs about twice as much for each message.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "client/sdk/input_blocks.h"
#include "client/sdk/output_blocks.h"
#include "client/sdk/stream_options.h"
#include "ddsp/v1/session.grpc.pb.h"

namespace ddsp::loadtest {

class ClientLoop;

class LiveCall {
 public:
  // Starts the call. `loop` outlives it. With `reads` false nothing is read once the session has started.
  LiveCall(ClientLoop& loop, const std::shared_ptr<grpc::Channel>& channel, const client::StreamOptions& options,
           bool reads = true);
  LiveCall(const LiveCall&) = delete;
  // The call has ended.
  ~LiveCall();
  // Cancels the call; it is destroyed when it has ended.
  static void Abandon(std::unique_ptr<LiveCall> call);

  bool started() const { return started_.has_value(); }
  bool ended() const { return ended_; }
  const absl::Status& status() const { return status_; }  // once ended
  std::chrono::steady_clock::time_point ended_at() const { return ended_at_; }
  const client::StreamStarted& info() const { return *started_; }

  // Sends as many of the samples as credit allows; returns how many. 0 unless started and not ended.
  size_t Write(absl::Span<const float> samples);
  // No more input.
  void Finish();
  void Cancel();

  // Called for each block, in order.
  std::function<void(const client::AudioBlock&)> on_block;

 private:
  friend class ClientLoop;
  enum class Event { kStarted, kRead, kWritten, kEnded };
  struct Tag {
    LiveCall* call;
    Event event;
  };

  void Complete(Event event, bool ok);
  void Take();
  absl::Status TakeStarted();
  void Enqueue(std::vector<v1::AudioBlock> blocks);
  void CompleteInput();
  void Pump();
  void Read();
  void Fail(const absl::Status& status);
  // When nothing is under way any more, asks how it ended.
  void AskForEnd();

  ClientLoop& loop_;
  const client::StreamOptions options_;
  const bool reads_;
  Tag tags_[4];
  grpc::ClientContext context_;
  std::unique_ptr<v1::Synthesis::Stub> stub_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::StreamSessionRequest, v1::StreamSessionResponse>> stream_;
  v1::StreamSessionResponse response_;
  grpc::Status grpc_status_;
  absl::Status status_;
  std::chrono::steady_clock::time_point ended_at_;

  std::optional<client::StreamStarted> started_;
  std::unique_ptr<client::InputBlocks> input_;
  std::unique_ptr<client::OutputBlocks> output_;
  std::deque<v1::StreamSessionRequest> queue_;  // its front is being written
  bool reading_ = false, writing_ = false;
  bool finishing_ = false, input_complete_ = false, half_closed_ = false;
  bool over_ = false, asked_ = false, ended_ = false, abandoned_ = false;
};

// The completion queue of all calls, and how it is looked at.
class ClientLoop {
 public:
  // Everything that has happened.
  void Drain();
  // Drains every millisecond until `done`, or for `limit`; returns whether it was done. `act` runs before each look.
  bool Run(std::chrono::steady_clock::duration limit, const std::function<bool()>& done,
           const std::function<void(std::chrono::steady_clock::time_point)>& act = nullptr);
  // Waits for abandoned calls.
  ~ClientLoop();

  grpc::CompletionQueue& queue() { return queue_; }

 private:
  friend class LiveCall;
  grpc::CompletionQueue queue_;
  int calls_ = 0;      // that have not ended
  int completed_ = 0;  // in the last Drain()
};

}  // namespace ddsp::loadtest
