#include "tests/chaos/chaos_stream.h"

#include <algorithm>
#include <utility>

#include "core/base/status_macros.h"

namespace ddsp::testing {

ChaosStream::ChaosStream(const Settings& settings, const std::vector<float>& recording, size_t offset)
    : settings_(settings), recording_(recording), position_(offset % recording.size()) {}

absl::Status ChaosStream::Open() {
  client::StreamOptions options;
  options.model = settings_.model;
  options.input = options.output = {client::Codec::kPcmFloat, settings_.sample_rate};
  options.tail = client::Tail::kCut;
  options.seed = settings_.seed;
  options.on_message = [this](const client::StreamMessage& message) { Take(message); };
  options.on_end = [this](const absl::Status& status) {
    MutexLock lock(&mu_);
    end_ = status;
    ended_.NotifyAll();
  };
  ASSIGN_OR_RETURN(stream_, client::ResumingStream::Open(settings_.servers, std::move(options)));
  return absl::OkStatus();
}

float ChaosStream::NextSample() {
  const float sample = recording_[position_];
  position_ = (position_ + 1) % recording_.size();
  return sample;
}

void ChaosStream::SendDue(Time now) {
  const std::chrono::duration<double> elapsed = now - start_;
  const auto messages = static_cast<int64_t>(elapsed.count() * settings_.sample_rate / settings_.message_samples);
  while (static_cast<int64_t>(input_.size()) < messages * settings_.message_samples) {
    for (int64_t i = 0; i < settings_.message_samples; ++i) input_.push_back(NextSample());
    const absl::StatusOr<size_t> taken = stream_->TryWrite(absl::MakeSpan(input_).subspan(sent_));
    sent_ += taken.value_or(0);
    stalls_ += sent_ < input_.size();
  }
}

void ChaosStream::Finish() {
  if (stream_->Write(absl::MakeSpan(input_).subspan(sent_)).ok()) stream_->Finish().IgnoreError();
  MutexLock lock(&mu_);
  while (!end_) ended_.Wait(&mu_);
}

int64_t ChaosStream::blocks() const {
  MutexLock lock(&mu_);
  return static_cast<int64_t>(arrivals_.size());
}

void ChaosStream::Take(const client::StreamMessage& message) {
  const auto* block = std::get_if<client::AudioBlock>(&message);
  if (block == nullptr) return;
  MutexLock lock(&mu_);
  const auto expected = static_cast<int64_t>(output_.size());
  repeated_ += std::max<int64_t>(0, expected - block->start_sample);
  missing_ += std::max<int64_t>(0, block->start_sample - expected);
  output_.insert(output_.end(), block->samples.begin(), block->samples.end());
  arrivals_.push_back({block->start_sample + static_cast<int64_t>(block->samples.size()), block->received});
}

ChaosStream::Outcome ChaosStream::TakeOutcome() {
  Outcome outcome;
  outcome.moves = stream_->resumptions();
  const client::LivePace pace(
      {start_, settings_.message_samples, static_cast<int64_t>(input_.size()), stream_->started()});
  MutexLock lock(&mu_);
  for (size_t i = 0; i < arrivals_.size(); ++i) {
    const std::optional<int64_t> completed_by = pace.CompletedBy(arrivals_[i].end_sample);
    if (!completed_by) break;  // by the end of the input
    using Milliseconds = std::chrono::duration<double, std::milli>;
    outcome.latencies_ms.push_back(Milliseconds(arrivals_[i].time - pace.Due(*completed_by)).count());
    if (i == 0) continue;
    const double interval = Milliseconds(arrivals_[i].time - arrivals_[i - 1].time).count();
    outcome.longest_interval_ms = std::max(outcome.longest_interval_ms, interval);
  }
  outcome.status = end_.value_or(absl::OkStatus());
  outcome.input = std::move(input_);
  outcome.output = std::move(output_);
  outcome.repeated_samples = repeated_;
  outcome.missing_samples = missing_;
  outcome.stalls = stalls_;
  return outcome;
}

}  // namespace ddsp::testing
