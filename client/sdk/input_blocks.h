// Cuts written samples into the audio blocks of a session: sizes, numbering, credit. Knows no transport and no thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/sdk/codec.h"
#include "ddsp/v1/session.pb.h"

namespace ddsp::client {

class InputBlocks {
 public:
  struct Limits {
    int64_t credit = 0;       // samples that may be sent before a grant
    int max_block_bytes = 0;  // 0: 64 KiB
    int codec_delay = 0;      // samples that the server skips at the start of decoded input
  };
  InputBlocks(std::unique_ptr<Encoder> encoder, const Limits& limits);

  void Grant(int64_t samples) { credit_ += samples; }
  // Samples written so far, filling of codecs not counted.
  int64_t written() const { return written_; }

  // Appends blocks for as many samples as credit allows; returns how many were taken. With a packet codec the last ones
  // taken may still wait for their packet to fill.
  absl::StatusOr<size_t> Add(absl::Span<const float> samples, std::vector<v1::AudioBlock>* blocks);
  // Counts samples of a control block against the same credit; returns how many of `frames` may be sent.
  int64_t TakeControls(int64_t frames, int64_t frame_samples);
  // Appends what is left of the last packet and the codec's delay. Returns false while credit is missing: call again
  // after a grant.
  absl::StatusOr<bool> Complete(std::vector<v1::AudioBlock>* blocks);

 private:
  absl::StatusOr<v1::AudioBlock> Encode(absl::Span<const float> samples);
  absl::StatusOr<size_t> AddToPackets(absl::Span<const float> samples, std::vector<v1::AudioBlock>* blocks);

  const std::unique_ptr<Encoder> encoder_;
  const int codec_delay_;
  const int64_t max_block_samples_;
  int64_t credit_;
  int64_t written_ = 0;
  int64_t sent_ = 0;  // in blocks, codec filling included
  uint64_t seq_ = 0;
  std::vector<float> packet_;  // being filled
};

}  // namespace ddsp::client
