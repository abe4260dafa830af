#include "client/sdk/input_blocks.h"

#include <algorithm>

#include "core/base/status_macros.h"

namespace ddsp::client {
namespace {

constexpr int kDefaultBlockBytes = 64 << 10;

}  // namespace

InputBlocks::InputBlocks(std::unique_ptr<Encoder> encoder, const Limits& limits)
    : encoder_(std::move(encoder)),
      codec_delay_(limits.codec_delay),
      max_block_samples_((limits.max_block_bytes > 0 ? limits.max_block_bytes : kDefaultBlockBytes) / sizeof(float)),
      credit_(limits.credit) {
  // The server skips its own idea of the delay: silence makes up for an encoder that has less.
  packet_.resize(std::max(0, codec_delay_ - encoder_->delay()));
}

absl::StatusOr<v1::AudioBlock> InputBlocks::Encode(absl::Span<const float> samples) {
  v1::AudioBlock block;
  ASSIGN_OR_RETURN(*block.mutable_data(), encoder_->Encode(samples));
  block.set_seq(seq_++);
  block.set_start_sample(sent_);
  sent_ += samples.size();
  credit_ -= samples.size();
  return block;
}

absl::StatusOr<size_t> InputBlocks::AddToPackets(absl::Span<const float> samples, std::vector<v1::AudioBlock>* blocks) {
  const size_t size = encoder_->packet_samples();
  size_t taken = 0;
  while (true) {
    const size_t part = std::min(samples.size() - taken, size - std::min(size, packet_.size()));
    packet_.insert(packet_.end(), samples.begin() + taken, samples.begin() + taken + part);
    taken += part;
    if (packet_.size() < size || credit_ < static_cast<int64_t>(size)) return taken;
    ASSIGN_OR_RETURN(blocks->emplace_back(), Encode(packet_));
    packet_.clear();
  }
}

absl::StatusOr<size_t> InputBlocks::Add(absl::Span<const float> samples, std::vector<v1::AudioBlock>* blocks) {
  size_t taken = 0;
  if (encoder_->packet_samples() > 0) {
    ASSIGN_OR_RETURN(taken, AddToPackets(samples, blocks));
  } else {
    while (taken < samples.size() && credit_ > 0) {
      const int64_t part = std::min({static_cast<int64_t>(samples.size() - taken), credit_, max_block_samples_});
      ASSIGN_OR_RETURN(blocks->emplace_back(), Encode(samples.subspan(taken, part)));
      taken += part;
    }
  }
  written_ += taken;
  return taken;
}

int64_t InputBlocks::TakeControls(int64_t frames, int64_t frame_samples) {
  const int64_t taken = std::min(frames, credit_ / std::max<int64_t>(1, frame_samples));
  credit_ -= taken * frame_samples;
  written_ += taken * frame_samples;
  return taken;
}

absl::StatusOr<bool> InputBlocks::Complete(std::vector<v1::AudioBlock>* blocks) {
  const int64_t size = encoder_->packet_samples();
  if (size == 0 || written_ == 0) return true;
  // Decoded audio must reach the last sample written although the server skips codec_delay_ at its start.
  while (sent_ < written_ + codec_delay_) {
    if (credit_ < size) return false;
    packet_.resize(size);
    ASSIGN_OR_RETURN(blocks->emplace_back(), Encode(packet_));
    packet_.clear();
  }
  return true;
}

}  // namespace ddsp::client
