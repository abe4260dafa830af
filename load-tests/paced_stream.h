// One live client: a recording in a loop, sent on schedule, with the latency of every block that comes back.
#pragma once

#include <grpcpp/channel.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "client/pacing/live_pace.h"
#include "load-tests/live_call.h"

namespace ddsp::loadtest {

struct PacedStreamOptions {
  std::string model = "violin";
  client::Codec codec = client::Codec::kPcmFloat;
  int sample_rate = 16000;  // Hz, of the recording, both ways
  double message_seconds = 0.02;
  double seconds = 10;  // to send
  uint64_t seed = 0;
};

class PacedStream {
 public:
  // Opens the session. `loop` and `recording` outlive the stream, which is destroyed when the call has ended; the
  // recording is played from sample `offset` on.
  PacedStream(ClientLoop& loop, const std::shared_ptr<grpc::Channel>& channel, const PacedStreamOptions& options,
              const std::vector<float>& recording, size_t offset);

  LiveCall& call() { return call_; }

  // Starts the stream's clock; called once, when the session has started, before SendNext().
  void Begin(std::chrono::steady_clock::time_point start);
  // When the next message is due; nullopt when all were sent.
  std::optional<std::chrono::steady_clock::time_point> NextDue() const;
  // Sends the next message. What credit does not allow goes with the following one; never waits. Returns false when
  // there is nobody to send it to.
  bool SendNext();
  // All messages were sent: sends what waits for credit, and then the end. Called until the call has ended.
  void Finish();

  struct Outcome {
    absl::Status status;
    std::vector<double> latencies_ms;  // of blocks that the input completed
    int64_t lost_samples = 0;          // of input.length, as many should come back
    int64_t stalls = 0;                // messages for which there was no credit in time
    // When the first block came.
    std::optional<std::chrono::steady_clock::time_point> first_block;
  };
  // When the call has ended.
  Outcome TakeOutcome();

 private:
  void Take(const client::AudioBlock& block);
  // The recording goes on and on; where it ends, the samples are put together in `wrapped_`.
  absl::Span<const float> NextSamples(int64_t count);

  const std::vector<float>& recording_;
  size_t position_;
  const int64_t message_samples_, total_samples_;
  std::optional<client::LivePace> pace_;
  int64_t next_message_ = 0, received_ = 0;
  std::vector<float> backlog_, wrapped_;
  Outcome outcome_;
  LiveCall call_;  // last: it calls back
};

}  // namespace ddsp::loadtest
