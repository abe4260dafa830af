// Which server a session goes to next, and after what pause. Knows no transport and no thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/sdk/retry.h"

namespace ddsp::client {

// A session that loses its server goes to the others at once, and to its old one last. When all have failed there is a
// pause, longer each time, and another round. A round in which every server gave an error that will not pass is the
// last.
class ServerRotation {
 public:
  struct Attempt {
    std::string address;
    absl::Duration pause;  // before it
  };

  // `servers` gives the addresses that there are now, at least one; it is asked again for each round.
  ServerRotation(std::function<std::vector<std::string>()> servers, const RetryPolicy& policy, uint64_t seed);

  // The server of the last attempt; the first one before any.
  const std::string& current() const { return current_; }

  // The last attempt, or the session that it led to, failed with `error`: where to go next; nullopt: give up.
  std::optional<Attempt> Next(const absl::Status& error, absl::Time now);
  // The session goes well: the next failure begins a new series.
  void Reset();

 private:
  void BeginRound();

  const std::function<std::vector<std::string>()> servers_;
  Backoff backoff_;
  std::string current_;
  std::vector<std::string> round_;  // still to be tried
  bool in_series_ = false;
  bool hope_ = false;  // an error of this round may pass
};

}  // namespace ddsp::client
