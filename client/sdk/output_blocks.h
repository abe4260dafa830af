// Turns the audio blocks that come back into samples: checks their numbering, takes off codec delay and filling.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "client/sdk/stream_options.h"
#include "ddsp/v1/session.pb.h"

namespace ddsp::client {

class OutputBlocks {
 public:
  struct Format {
    Codec codec = Codec::kPcmFloat;
    int codec_delay = 0;  // samples to skip at the start of what is decoded
  };
  // Where the first block that comes stands in the session: another place than its start after a move.
  struct Start {
    uint64_t seq = 0;
    int64_t sample = 0;  // as blocks count, a codec's delay included
  };
  OutputBlocks(std::unique_ptr<Decoder> decoder, const Format& format) : OutputBlocks(std::move(decoder), format, {}) {}
  OutputBlocks(std::unique_ptr<Decoder> decoder, const Format& format, const Start& start);

  // As blocks count: what has come so far.
  int64_t position() const { return next_sample_ + format_.codec_delay; }

  // Samples from `total` on are filling of a codec's last packet. Without a call nothing is taken off the end.
  void SetTotal(int64_t total) { total_ = total; }

  // Errors: DATA_LOSS for a gap, a repeat or a packet that does not decode.
  absl::StatusOr<AudioBlock> Take(const v1::AudioBlock& block);

 private:
  const std::unique_ptr<Decoder> decoder_;
  const Format format_;
  uint64_t seq_;
  int64_t next_sample_;  // of the next decoded sample; negative within the codec's delay
  int64_t total_ = std::numeric_limits<int64_t>::max();
};

// Samples that a session gives in all for `input_samples`: as many as went in, at the output rate, and the tail.
int64_t TotalOutput(const StreamStarted& started, Tail tail, int64_t input_samples);

}  // namespace ddsp::client
