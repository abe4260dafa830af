// One live client: a recording in a loop, sent on schedule, with the latency of every block that comes back.
#pragma once

#include <grpcpp/channel.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/pacing/live_pace.h"
#include "client/sdk/synthesis_stream.h"

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
  // `recording` outlives the stream; it is played from sample `offset` on.
  static absl::StatusOr<std::unique_ptr<PacedStream>> Open(std::shared_ptr<grpc::Channel> channel,
                                                           const PacedStreamOptions& options,
                                                           const std::vector<float>& recording, size_t offset);

  // Starts the stream's clock; called once, before SendNext().
  void Begin(std::chrono::steady_clock::time_point start);
  // When the next message is due; nullopt when all were sent.
  std::optional<std::chrono::steady_clock::time_point> NextDue() const;
  // Sends the next message. What credit does not allow goes with the following one; never waits.
  absl::Status SendNext();

  struct Outcome {
    absl::Status status;
    std::vector<double> latencies_ms;  // of blocks that the input completed
    int64_t lost_samples = 0;          // of input.length, as many should come back
    int64_t stalls = 0;                // messages for which there was no credit in time
    double first_block_ms = 0;         // from the start of the clock to the first block
  };
  // Waits for the end of the session.
  Outcome Finish();

 private:
  PacedStream(const PacedStreamOptions& options, const std::vector<float>& recording, size_t offset);
  void Take(client::StreamMessage message);
  // The recording goes on and on; where it ends, the samples are put together in `wrapped_`.
  absl::Span<const float> NextSamples(int64_t count);

  const PacedStreamOptions options_;
  const std::vector<float>& recording_;
  size_t position_;
  const int64_t message_samples_, total_samples_;

  // Set before the first message is sent, hence before the first block comes back.
  std::optional<client::LivePace> pace_;
  std::chrono::steady_clock::time_point start_;

  // The sender's.
  int64_t next_message_ = 0;
  std::vector<float> backlog_, wrapped_;
  int64_t stalls_ = 0;

  // Of reactions, until `ended_` is set.
  std::vector<double> latencies_ms_;
  int64_t received_ = 0;
  std::optional<double> first_block_ms_;
  std::promise<absl::Status> ended_;

  std::unique_ptr<client::SynthesisStream> stream_;  // last: its end uses what is above
};

}  // namespace ddsp::loadtest
