// What a session has to say, until the wire takes it. Not thread-safe.
//
// Urgent messages (started, credit, events, pong) overtake media (audio, features, flush marks, snapshots, summary),
// which keep their order and wait for the client's credit. A snapshot takes the place of one that still waits.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "absl/time/time.h"
#include "ddsp/v1/session.pb.h"

namespace ddsp::server {

struct OutputItem {
  v1::StreamSessionResponse message;
  int64_t samples = 0;  // of audio, which credit is about
  absl::Time due;       // when the input that made it possible had arrived; audio and features only
};

class OutputQueue {
 public:
  // backlog_bytes: see full().
  explicit OutputQueue(int64_t backlog_bytes) : backlog_bytes_(backlog_bytes) {}

  // Samples that may be sent before a grant; 0 means any number, as at the beginning.
  void SetCredit(int64_t samples);

  void PushUrgent(v1::StreamSessionResponse message);
  void PushMedia(OutputItem item);
  void Grant(int64_t samples);

  // The next message that may be sent; nullopt when there is none, or credit is missing.
  std::optional<OutputItem> Pop();
  bool sendable() const;
  // Media waits that no grant covers.
  bool short_of_credit() const { return !media_.empty() && limited_ && media_.front().samples > credit_; }

  bool empty() const { return urgent_.empty() && media_.empty(); }
  // Media of `backlog_bytes` or more waits: no more should be made.
  bool full() const { return media_bytes_ >= backlog_bytes_; }
  void Clear();

 private:
  const int64_t backlog_bytes_;
  bool limited_ = false;
  int64_t credit_ = 0;
  int64_t media_bytes_ = 0;
  std::deque<OutputItem> urgent_, media_;
};

}  // namespace ddsp::server
