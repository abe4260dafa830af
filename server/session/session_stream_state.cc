// A session's stream as a message.
#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/session/session_stream.h"

namespace ddsp::server {
namespace {

// Counts of a state: far beyond any session, far from overflow.
constexpr uint64_t kMostCount = uint64_t{1} << 44;

absl::Status Lost(absl::string_view why) {
  return MakeError(Reason::kStateLost, absl::StrCat("the session cannot be gone on with: ", why));
}

// The bytes are those of whole, finite samples, unless a server with the key has signed nonsense: then they only sound.
std::vector<float> SamplesOf(const std::string& bytes) {
  std::vector<float> samples(bytes.size() / sizeof(float));
  if (!samples.empty()) std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(float));
  return samples;
}

absl::Status CheckCounts(const v1::SessionState& state) {
  const v1::SessionPosition& position = state.position();
  for (const uint64_t count :
       {position.input_sample(), position.input_seq(), position.control_seq(), position.output_sample(),
        position.output_seq(), position.feature_seq(), state.last_change(), uint64_t{state.left_to_skip()},
        state.skipped(), state.input_blocks(), state.output_samples(), state.feature_frames()}) {
    if (count > kMostCount) return Lost(absl::StrCat("a count is ", count));
  }
  // The end of the output is filled up to what was coded.
  if (state.output_samples() > position.output_sample()) {
    return Lost(
        absl::StrCat(state.output_samples(), " samples of output in ", position.output_sample(), " coded ones"));
  }
  return absl::OkStatus();
}

}  // namespace

void SessionStream::Save(v1::SessionState* state) const {
  v1::SessionPosition* position = state->mutable_position();
  position->set_input_sample(mark_.gate.samples);
  position->set_input_seq(mark_.gate.next_audio);
  position->set_control_seq(mark_.gate.next_control);
  position->set_output_sample(coded_samples_);
  position->set_output_seq(output_blocks_);
  position->set_feature_seq(feature_blocks_);
  state->set_last_change(mark_.gate.last_change);
  state->set_left_to_skip(mark_.left_to_skip);
  state->mutable_declared()->set_pitch_shift_semitones(mark_.declared.pitch_shift_semitones);
  state->mutable_declared()->set_loudness_shift_db(mark_.declared.loudness_shift_db);
  for (const Packet& packet : packets_) state->add_packets(packet.data);
  state->set_skipped(skipped_);
  state->set_input_blocks(input_blocks_);
  state->set_framer(framer_->Save());
  state->set_output_samples(output_samples_);
  state->set_feature_frames(feature_frames_);
  state->set_heard(heard_.data(), heard_.size() * sizeof(float));
}

absl::Status SessionStream::Restore(const v1::SessionState& state) {
  RETURN_IF_ERROR(CheckCounts(state));
  const absl::Status framer = framer_->Restore(state.framer());
  if (!framer.ok()) return Lost(framer.message());
  finished_ = framer_->finished();
  const v1::SessionPosition& position = state.position();
  mark_.gate = {.next_audio = position.input_seq(),
                .next_control = position.control_seq(),
                .samples = static_cast<int64_t>(position.input_sample()),
                .last_change = static_cast<int64_t>(state.last_change())};
  mark_.left_to_skip = static_cast<int>(std::min<uint32_t>(state.left_to_skip(), 1 << 20));
  mark_.declared = {.pitch_shift_semitones = state.declared().pitch_shift_semitones(),
                    .loudness_shift_db = state.declared().loudness_shift_db()};
  coded_samples_ = static_cast<int64_t>(position.output_sample());
  output_blocks_ = static_cast<int64_t>(position.output_seq());
  feature_blocks_ = static_cast<int64_t>(position.feature_seq());
  skipped_ = static_cast<int64_t>(state.skipped());
  input_blocks_ = static_cast<int64_t>(state.input_blocks());
  output_samples_ = static_cast<int64_t>(state.output_samples());
  feature_frames_ = static_cast<int64_t>(state.feature_frames());
  if (encoder_memory_ > 0 && coded_samples_ > 0) {
    heard_ = SamplesOf(state.heard());
    encoder_->GoOnAfter(heard_, block_);
  }
  int64_t codec_delay = 0;
  if (decoder_memory_ > 0) {
    const std::unique_ptr<BlockDecoder> decoder = MakeDecoder(plan_.input_format);
    codec_delay = plan_.input_codec_delay.value_or(decoder->delay());
    for (const std::string& packet : state.packets()) {
      const absl::StatusOr<int64_t> samples = decoder->CountSamples(packet);
      if (!samples.ok()) return Lost(samples.status().message());
      packets_.push_back({packet, *samples});
    }
  }
  // What comes next is checked against the mark, and taken by the framer.
  if (mark_.left_to_skip + skipped_ != codec_delay || mark_.gate.samples - skipped_ != framer_->input_samples()) {
    return Lost("its counts of input do not agree");
  }
  const absl::Status change = framer_->CheckChange(std::max(framer_->input_samples(), mark_.gate.last_change));
  if (!change.ok()) return Lost(change.message());
  return absl::OkStatus();
}

}  // namespace ddsp::server
