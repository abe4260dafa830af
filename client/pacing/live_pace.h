// The clock of an open-loop live stream: when each message is due to be sent, and which of them completes an output
// block.
//
// Messages leave on schedule whatever comes back, as from a microphone; a stall therefore counts against every block it
// delays. Message k holds input samples [k * message_samples, (k + 1) * message_samples) and is due when the last of
// them has been recorded.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "client/sdk/stream_options.h"

namespace ddsp::client {

class LivePace {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Stream {
    Time start;                   // of the first sample
    int64_t message_samples = 0;  // at the input rate
    int64_t input_samples = 0;    // in all
    StreamStarted started;
  };
  explicit LivePace(const Stream& stream) : stream_(stream) {}

  int64_t messages() const;
  // When message k is due. The last one may be shorter, and is due earlier.
  Time Due(int64_t message) const;
  // The message that completes the output samples before `end`, given the session's latency and its codecs; nullopt
  // when only the end of the input does.
  std::optional<int64_t> CompletedBy(int64_t end) const;
  // Time from the scheduled send of the message that completes `block` to its receipt: the block latency. Nullopt for
  // blocks that the end of the input completes.
  std::optional<std::chrono::duration<double>> Latency(const AudioBlock& block) const;

 private:
  const Stream stream_;
};

}  // namespace ddsp::client
