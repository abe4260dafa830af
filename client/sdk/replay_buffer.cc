#include "client/sdk/replay_buffer.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/sdk/error.h"

namespace ddsp::client {
namespace {

// A block that a server at `position` has had.
bool IsBefore(const v1::StreamSessionRequest& message, const v1::SessionPosition& position) {
  if (message.has_audio()) return message.audio().seq() < position.input_seq();
  return message.has_control() && message.control().seq() < position.control_seq();
}

absl::Status Missing(const char* kind, uint64_t wanted, uint64_t kept) {
  return absl::DataLossError(
      absl::StrCat("the server goes on with ", kind, " block ", wanted, "; what is kept begins with ", kept));
}

}  // namespace

absl::Status ReplayBuffer::Add(v1::StreamSessionRequest message, int64_t samples) {
  const auto size = static_cast<int64_t>(message.ByteSizeLong());
  if (bytes_ + size > max_bytes_) {
    return MakeError(absl::StatusCode::kResourceExhausted,
                     absl::StrCat("the server has sent no snapshot while ", bytes_, " bytes of input were written, of ",
                                  max_bytes_, " that are kept to be replayed"),
                     "REPLAY_TOO_LONG");
  }
  if (message.has_audio()) audio_end_ = message.audio().seq() + 1;
  if (message.has_control()) control_end_ = message.control().seq() + 1;
  entries_.push_back({std::make_shared<const v1::StreamSessionRequest>(std::move(message)), samples, size});
  bytes_ += size;
  unsent_samples_ += samples;
  return absl::OkStatus();
}

void ReplayBuffer::Sent() { unsent_samples_ -= entries_[next_++].samples; }

void ReplayBuffer::Erase(const std::function<bool(const v1::StreamSessionRequest&)>& condition) {
  std::deque<Entry> kept;
  size_t next = next_;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (!condition(*entries_[i].message)) {
      kept.push_back(std::move(entries_[i]));
      continue;
    }
    bytes_ -= entries_[i].bytes;
    if (i < next_) {
      --next;
    } else {
      unsent_samples_ -= entries_[i].samples;
    }
  }
  entries_ = std::move(kept);
  next_ = next;
}

void ReplayBuffer::Forget(const v1::SessionPosition& position) {
  Erase([&](const v1::StreamSessionRequest& message) { return IsBefore(message, position); });
}

bool ReplayBuffer::ForgetFlush(uint64_t id) {
  const size_t before = entries_.size();
  bool found = false;
  Erase([&](const v1::StreamSessionRequest& message) {
    const bool is_it = !found && message.has_flush() && message.flush().id() == id;
    found |= is_it;
    return is_it;
  });
  return entries_.size() < before;
}

absl::StatusOr<int64_t> ReplayBuffer::Rewind(const v1::SessionPosition& position) {
  Forget(position);
  uint64_t first_audio = audio_end_, first_control = control_end_;
  int64_t samples = 0;
  for (const Entry& entry : entries_) {
    if (entry.message->has_audio()) first_audio = std::min<uint64_t>(first_audio, entry.message->audio().seq());
    if (entry.message->has_control()) first_control = std::min<uint64_t>(first_control, entry.message->control().seq());
    samples += entry.samples;
  }
  if (position.input_seq() != first_audio) return Missing("audio", position.input_seq(), first_audio);
  if (position.control_seq() != first_control) return Missing("control", position.control_seq(), first_control);
  const int64_t repeated = samples - unsent_samples_;
  next_ = 0;
  unsent_samples_ = samples;
  return repeated;
}

}  // namespace ddsp::client
