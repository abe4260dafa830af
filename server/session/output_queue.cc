#include "server/session/output_queue.h"

#include <algorithm>
#include <utility>

namespace ddsp::server {
namespace {

constexpr int64_t kMostCredit = int64_t{1} << 62;

// No more than one snapshot ever waits, so they do not count.
int64_t BytesOf(const OutputItem& item) {
  return item.message.has_snapshot() ? 0 : static_cast<int64_t>(item.message.ByteSizeLong());
}

}  // namespace

void OutputQueue::SetCredit(int64_t samples) {
  limited_ = samples > 0;
  credit_ = samples;
}

void OutputQueue::PushUrgent(v1::StreamSessionResponse message) { urgent_.push_back({.message = std::move(message)}); }

void OutputQueue::PushMedia(OutputItem item) {
  if (item.message.has_snapshot()) {
    const auto superseded = [](const OutputItem& waiting) { return waiting.message.has_snapshot(); };
    media_.erase(std::remove_if(media_.begin(), media_.end(), superseded), media_.end());
  }
  media_bytes_ += BytesOf(item);
  media_.push_back(std::move(item));
}

void OutputQueue::Grant(int64_t samples) {
  credit_ = std::min(kMostCredit, credit_ + std::min(samples, kMostCredit - credit_));
}

bool OutputQueue::sendable() const {
  if (!urgent_.empty()) return true;
  return !media_.empty() && !short_of_credit();
}

std::optional<OutputItem> OutputQueue::Pop() {
  if (!sendable()) return std::nullopt;
  std::deque<OutputItem>& queue = urgent_.empty() ? media_ : urgent_;
  if (&queue == &media_) {
    media_bytes_ -= BytesOf(queue.front());
    if (limited_) credit_ -= queue.front().samples;
  }
  OutputItem item = std::move(queue.front());
  queue.pop_front();
  return item;
}

void OutputQueue::Clear() {
  urgent_.clear();
  media_.clear();
  media_bytes_ = 0;
}

}  // namespace ddsp::server
