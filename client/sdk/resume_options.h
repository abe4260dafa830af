// How a stream outlives the server that plays it, and what it tells when it has done so.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/sdk/retry.h"

namespace grpc {
class Channel;
}

namespace ddsp::client {

// One move from a server to the next. The three durations follow each other: together they are the longest time for
// which nothing new came.
struct Resumption {
  absl::Status cause;  // what the session ended with at the first server
  std::string from, to;
  absl::Duration detection;     // from the last message of the one server to the decision to leave it
  absl::Duration reconnection;  // from there to the answer of the other
  absl::Duration replay;        // from there to the first output that had not come before
  int64_t replayed_input = 0;   // samples that were sent again, at the input rate
  int64_t repeated_output = 0;  // samples that came again and were dropped, at the output rate
  bool from_snapshot = false;   // else from the session's start
};

struct ResumeOptions {
  // How often the server says where it stands, 0.1 s at least. What was sent since then is what is played again.
  absl::Duration snapshot_interval = absl::Seconds(1);
  // A server from which nothing has come for so long is asked for a sign of life,
  absl::Duration ping_interval = absl::Milliseconds(500);
  // and taken for dead after so long.
  absl::Duration dead_after = absl::Milliseconds(1500);
  // For a server to go on with the session, connecting included, before the next one is tried.
  absl::Duration attempt_timeout = absl::Seconds(3);
  // Pauses after each round over all servers, and for how long in all. The first round has none.
  RetryPolicy retry{
      .first_pause = absl::Milliseconds(50), .longest_pause = absl::Seconds(1), .give_up_after = absl::Seconds(30)};
  // Bytes of input since the newest snapshot. A server that sends none (an old one) lets them grow.
  int64_t max_replay_bytes = int64_t{64} << 20;
  // Input that may wait to be sent: a microphone goes on while its session moves.
  absl::Duration max_unsent = absl::Seconds(10);

  // Called after each move, on a thread that must not be blocked.
  std::function<void(const Resumption&)> on_resumed{};
  // Makes the connection to a server, one for each attempt; unset: MakeChannel(), with the security of the whole list.
  std::function<std::shared_ptr<grpc::Channel>(const std::string& address)> connect{};
  uint64_t seed = 0;  // of the pauses' chance; 0: another each time
};

}  // namespace ddsp::client
