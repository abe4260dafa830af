// What a session has sent since its newest snapshot, in order, to be sent again to another server. Knows no transport
// and no thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ddsp/v1/session.pb.h"

namespace ddsp::client {

class ReplayBuffer {
 public:
  struct Entry {
    std::shared_ptr<const v1::StreamSessionRequest> message;
    int64_t samples = 0;  // of credit that it needs, at the input rate
    int64_t bytes = 0;
  };

  // `max_bytes` bounds all that is kept, as it goes over the wire.
  explicit ReplayBuffer(int64_t max_bytes) : max_bytes_(max_bytes) {}

  // Appends an audio, a control or a flush message. Errors: RESOURCE_EXHAUSTED, with the reason REPLAY_TOO_LONG.
  absl::Status Add(v1::StreamSessionRequest message, int64_t samples);

  // The first message that is still to be sent; null when none is.
  const Entry* Next() const { return next_ < entries_.size() ? &entries_[next_] : nullptr; }
  void Sent();

  // Blocks before `position` are not needed any more. Flushes are until they are answered.
  void Forget(const v1::SessionPosition& position);
  // Flush `id` was answered. False where it is not waiting: it has been answered before.
  bool ForgetFlush(uint64_t id);
  // Sending starts again at `position`. Returns how many samples that were sent will be sent again. Errors: DATA_LOSS
  // where a block is missing that belongs there.
  absl::StatusOr<int64_t> Rewind(const v1::SessionPosition& position);

  int64_t unsent_samples() const { return unsent_samples_; }
  int64_t bytes() const { return bytes_; }

 private:
  void Erase(const std::function<bool(const v1::StreamSessionRequest&)>& condition);

  const int64_t max_bytes_;
  std::deque<Entry> entries_;
  size_t next_ = 0;
  int64_t unsent_samples_ = 0, bytes_ = 0;
  uint64_t audio_end_ = 0, control_end_ = 0;  // numbers of the blocks that will be added next
};

}  // namespace ddsp::client
