#include "load-tests/paced_stream.h"

#include <algorithm>
#include <cmath>

#include "core/base/status_macros.h"

namespace ddsp::loadtest {

PacedStream::PacedStream(const PacedStreamOptions& options, const std::vector<float>& recording, size_t offset)
    : options_(options),
      recording_(recording),
      position_(offset % recording.size()),
      message_samples_(std::llround(options.message_seconds * options.sample_rate)),
      total_samples_(std::llround(options.seconds * options.sample_rate)) {
  latencies_ms_.reserve(static_cast<size_t>(options.seconds / options.message_seconds) + 8);
}

absl::StatusOr<std::unique_ptr<PacedStream>> PacedStream::Open(std::shared_ptr<grpc::Channel> channel,
                                                               const PacedStreamOptions& options,
                                                               const std::vector<float>& recording, size_t offset) {
  std::unique_ptr<PacedStream> paced(new PacedStream(options, recording, offset));
  client::StreamOptions stream_options;
  stream_options.model = options.model;
  stream_options.input = stream_options.output = {options.codec, options.sample_rate};
  stream_options.tail = client::Tail::kCut;
  stream_options.seed = options.seed;
  stream_options.on_message = [stream = paced.get()](client::StreamMessage message) {
    stream->Take(std::move(message));
  };
  stream_options.on_end = [stream = paced.get()](const absl::Status& status) { stream->ended_.set_value(status); };
  ASSIGN_OR_RETURN(paced->stream_, client::SynthesisStream::Open(std::move(channel), std::move(stream_options)));
  return paced;
}

void PacedStream::Begin(std::chrono::steady_clock::time_point start) {
  start_ = start;
  pace_.emplace(client::LivePace::Stream{start, message_samples_, total_samples_, stream_->started()});
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

absl::Status PacedStream::SendNext() {
  const int64_t count = std::min(message_samples_, total_samples_ - next_message_ * message_samples_);
  absl::Span<const float> samples = NextSamples(count);
  ++next_message_;
  if (!backlog_.empty()) {
    backlog_.insert(backlog_.end(), samples.begin(), samples.end());
    samples = backlog_;
  }
  ASSIGN_OR_RETURN(const size_t taken, stream_->TryWrite(samples));
  if (taken < samples.size()) ++stalls_;
  backlog_ = std::vector<float>(samples.begin() + taken, samples.end());
  return absl::OkStatus();
}

void PacedStream::Take(client::StreamMessage message) {
  const auto* block = std::get_if<client::AudioBlock>(&message);
  if (block == nullptr) return;
  received_ += block->samples.size();
  if (!first_block_ms_) first_block_ms_ = 1e3 * std::chrono::duration<double>(block->received - start_).count();
  if (const auto latency = pace_->Latency(*block)) latencies_ms_.push_back(1e3 * latency->count());
}

PacedStream::Outcome PacedStream::Finish() {
  Outcome outcome;
  outcome.status = stream_->Write(backlog_);
  if (outcome.status.ok()) outcome.status = stream_->Finish();
  const absl::Status end = ended_.get_future().get();
  if (outcome.status.ok()) outcome.status = end;
  outcome.latencies_ms = std::move(latencies_ms_);
  outcome.lost_samples = total_samples_ - received_;
  outcome.stalls = stalls_;
  outcome.first_block_ms = first_block_ms_.value_or(0);
  return outcome;
}

}  // namespace ddsp::loadtest
