// A StreamSession call without the SDK: sends what it is told to, whether or not that makes sense.
//
// Writing and reading wait; a call that the server leaves hanging ends after a minute.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "ddsp/v1/session.grpc.pb.h"

namespace ddsp::soak {

// Mono 32-bit floats both ways, no tail.
v1::SessionConfig FloatConfig(const std::string& voice, int sample_rate = 16000);
std::string FloatBytes(absl::Span<const float> samples);

class RawSession {
 public:
  explicit RawSession(std::shared_ptr<grpc::Channel> channel, double deadline_seconds = 60);
  // Cancels what has not ended.
  ~RawSession();

  // False when the call has ended.
  bool Send(const v1::StreamSessionRequest& request) { return stream_->Write(request); }
  bool SendConfig(const v1::SessionConfig& config);
  // Numbered as they have to be.
  bool SendAudio(absl::Span<const float> samples);
  bool SendPing();
  bool SendFlush(uint64_t id);
  void HalfClose() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }

  // Sends the config and waits for `started`; false when the call has ended.
  bool Begin(const v1::SessionConfig& config);
  // The next message; counts audio. False when there are no more.
  bool Read(v1::StreamSessionResponse* response);
  // Reads the rest, and how the call ended.
  absl::Status End();

  const v1::SessionStarted& started() const { return started_; }
  uint64_t next_seq() const { return seq_; }
  int64_t sent_samples() const { return sent_; }
  int64_t heard_samples() const { return heard_; }
  int flushed() const { return flushed_; }
  bool warned_of_idleness() const { return warned_; }
  const v1::SessionSnapshot& snapshot() const { return snapshot_; }  // the newest
  // Where the next block of audio begins.
  void ContinueAt(const v1::SessionPosition& position);

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  std::unique_ptr<v1::Synthesis::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::StreamSessionRequest, v1::StreamSessionResponse>> stream_;
  bool ended_ = false;
  absl::Status status_;
  v1::SessionStarted started_;
  v1::SessionSnapshot snapshot_;
  uint64_t seq_ = 0;
  int64_t sent_ = 0, heard_ = 0;
  int flushed_ = 0;
  bool warned_ = false;
};

}  // namespace ddsp::soak
