// A live session: samples go in while the voice's answer comes out.
//
//   auto stream = SynthesisStream::Open("localhost:8001", {.model = "violin", .input = {.sample_rate = 48000}});
//   (*stream)->Write(samples);                       // as they come from the microphone
//   (*stream)->Finish();
//   while (auto message = (*stream)->Read(); ...)    // here or in another thread, from the start
//
// One thread may write and another read; neither waits for the other. Writing obeys the server's credit.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/sdk/server_address.h"
#include "client/sdk/stream_options.h"

namespace grpc {
class Channel;
}

namespace ddsp::client {

class SynthesisStream {
 public:
  // Returns when the server has answered `started`. Errors: those of the server (see error.h), UNAVAILABLE when nobody
  // answers at the address, DEADLINE_EXCEEDED after options.open_timeout, INVALID_ARGUMENT for a rate Opus does not
  // have.
  static absl::StatusOr<std::unique_ptr<SynthesisStream>> Open(const ServerAddress& address, StreamOptions options);
  static absl::StatusOr<std::unique_ptr<SynthesisStream>> Open(std::shared_ptr<grpc::Channel> channel,
                                                               StreamOptions options);
  // Cancels a session that has not ended, and waits for that.
  ~SynthesisStream();

  const StreamStarted& started() const;

  // Sends samples of any number, in messages below the server's limit; waits while there is no credit.
  // Errors: what the session ended with; FAILED_PRECONDITION after Finish().
  absl::Status Write(absl::Span<const float> samples);
  // Sends as many of the samples as credit allows, at once; returns how many those were.
  absl::StatusOr<size_t> TryWrite(absl::Span<const float> samples);
  // In a session that is driven by controls: each frame holds for `frame_samples` input samples.
  absl::Status WriteControls(absl::Span<const ControlFrame> frames, int frame_samples);
  // In force from input sample `sample` on, which must not have been written yet.
  absl::Status ChangeParameters(int64_t sample, const Parameters& parameters);
  // Asks for a kFlushed event after all output that is due without further input.
  absl::Status Flush(uint64_t id);
  // No more input: what is left comes back, then the summary.
  absl::Status Finish();

  // Waits for the next message; nullopt after the last one of a clean end. Errors: what the session ended with.
  absl::StatusOr<std::optional<StreamMessage>> Read();
  // All audio up to the end; other messages are dropped. For programs that need no hurry.
  absl::StatusOr<std::vector<float>> ReadAllAudio();

  // Ends the session now; Read() and Write() return CANCELLED.
  void Cancel();

 private:
  class Call;
  explicit SynthesisStream(std::unique_ptr<Call> call);
  const std::unique_ptr<Call> call_;
};

}  // namespace ddsp::client
