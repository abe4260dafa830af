#include "client/sdk/output_blocks.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ddsp::client {

OutputBlocks::OutputBlocks(std::unique_ptr<Decoder> decoder, const Format& format, const Start& start)
    : decoder_(std::move(decoder)), format_(format), seq_(start.seq), next_sample_(start.sample - format.codec_delay) {}

absl::StatusOr<AudioBlock> OutputBlocks::Take(const v1::AudioBlock& block) {
  if (block.seq() != seq_) {
    return absl::DataLossError(absl::StrCat("output block ", seq_, " was expected, ", block.seq(), " came"));
  }
  ++seq_;
  AudioBlock audio;
  ASSIGN_OR_RETURN(audio.samples, decoder_->Decode(block.data()));
  if (format_.codec != Codec::kOpus && static_cast<int64_t>(block.start_sample()) != next_sample_) {
    return absl::DataLossError(
        absl::StrCat("output sample ", next_sample_, " was expected, ", block.start_sample(), " came"));
  }
  const int64_t begin = next_sample_;
  next_sample_ += static_cast<int64_t>(audio.samples.size());
  if (next_sample_ > total_) audio.samples.resize(std::max<int64_t>(0, total_ - begin));
  const int64_t skipped = std::clamp<int64_t>(-begin, 0, audio.samples.size());
  audio.samples.erase(audio.samples.begin(), audio.samples.begin() + skipped);
  audio.start_sample = begin + skipped;
  return audio;
}

int64_t TotalOutput(const StreamStarted& started, Tail tail, int64_t input_samples) {
  if (input_samples == 0) return 0;
  const int64_t answered = input_samples * started.output.sample_rate / started.input.sample_rate;
  return answered + (tail == Tail::kRingOut ? started.tail_samples : 0);
}

}  // namespace ddsp::client
