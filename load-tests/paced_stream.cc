#include "load-tests/paced_stream.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ddsp::loadtest {
namespace {

client::StreamOptions ToStreamOptions(const PacedStreamOptions& options) {
  client::StreamOptions stream;
  stream.model = options.model;
  stream.input = stream.output = {options.codec, options.sample_rate};
  stream.tail = client::Tail::kCut;
  stream.seed = options.seed;
  return stream;
}

}  // namespace

PacedStream::PacedStream(ClientLoop& loop, const std::shared_ptr<grpc::Channel>& channel,
                         const PacedStreamOptions& options, const std::vector<float>& recording, size_t offset)
    : recording_(recording),
      position_(offset % recording.size()),
      message_samples_(std::llround(options.message_seconds * options.sample_rate)),
      total_samples_(std::llround(options.seconds * options.sample_rate)),
      call_(loop, channel, ToStreamOptions(options)) {
  outcome_.latencies_ms.reserve(static_cast<size_t>(options.seconds / options.message_seconds) + 8);
  call_.on_block = [this](const client::AudioBlock& block) { Take(block); };
}

void PacedStream::Begin(std::chrono::steady_clock::time_point start) {
  pace_.emplace(client::LivePace::Stream{start, message_samples_, total_samples_, call_.info()});
}

std::optional<std::chrono::steady_clock::time_point> PacedStream::NextDue() const {
  if (next_message_ == pace_->messages()) return std::nullopt;
  return pace_->Due(next_message_);
}

absl::Span<const float> PacedStream::NextSamples(int64_t count) {
  const absl::Span<const float> rest = absl::MakeSpan(recording_).subspan(position_);
  if (static_cast<int64_t>(rest.size()) > count) {
    position_ += count;
    return rest.first(count);
  }
  wrapped_.clear();
  while (static_cast<int64_t>(wrapped_.size()) < count) {
    wrapped_.push_back(recording_[position_]);
    position_ = (position_ + 1) % recording_.size();
  }
  return wrapped_;
}

bool PacedStream::SendNext() {
  const int64_t count = std::min(message_samples_, total_samples_ - next_message_ * message_samples_);
  const absl::Span<const float> samples = NextSamples(count);
  ++next_message_;
  if (call_.ended()) return false;
  if (backlog_.empty()) {
    const size_t taken = call_.Write(samples);
    backlog_.assign(samples.begin() + taken, samples.end());
  } else {
    backlog_.insert(backlog_.end(), samples.begin(), samples.end());
    backlog_.erase(backlog_.begin(), backlog_.begin() + call_.Write(backlog_));
  }
  if (!backlog_.empty()) ++outcome_.stalls;
  return true;
}

void PacedStream::Finish() {
  if (!backlog_.empty()) backlog_.erase(backlog_.begin(), backlog_.begin() + call_.Write(backlog_));
  if (backlog_.empty()) call_.Finish();
}

void PacedStream::Take(const client::AudioBlock& block) {
  received_ += static_cast<int64_t>(block.samples.size());
  if (!outcome_.first_block) outcome_.first_block = block.received;
  if (const auto latency = pace_->Latency(block)) outcome_.latencies_ms.push_back(1e3 * latency->count());
}

PacedStream::Outcome PacedStream::TakeOutcome() {
  outcome_.status = call_.status();
  outcome_.lost_samples = total_samples_ - received_;
  return std::move(outcome_);
}

}  // namespace ddsp::loadtest
