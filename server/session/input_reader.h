// From blocks on the wire to input events: order, size, decoding, the codec's delay. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "ddsp/v1/session.pb.h"
#include "server/session/codec.h"
#include "server/session/input_event.h"
#include "server/session/input_gate.h"
#include "server/session/session_config.h"

namespace ddsp::server {

// Asks for credit for so many samples; CREDIT_EXCEEDED or the like where there is none.
using TakeCredit = absl::FunctionRef<absl::Status(int64_t samples)>;

class InputReader {
 public:
  InputReader(const SessionPlan& plan, const SessionLimits& limits);
  // Goes on after `mark`. `packets` are the newest before it (see BlockDecoder::memory), `pending_changes` the samples
  // of changes that were not taken up. Errors: those of a decoder.
  absl::Status Resume(const InputMark& mark, absl::Span<const std::string> packets,
                      std::vector<int64_t> pending_changes);

  // Decoded samples at the start that are left out.
  int codec_delay() const { return codec_delay_; }
  // Samples of the client so far, the codec's delay not counted.
  int64_t samples() const { return gate_.position().samples - (codec_delay_ - left_to_skip_); }

  // After all blocks so far.
  InputMark mark() const { return {gate_.position(), left_to_skip_, declared_}; }

  // Errors: BLOCK_SEQUENCE_GAP, BLOCK_TOO_LARGE, BLOCK_MALFORMED, OPUS_PACKET_INVALID, AUDIO_NOT_FINITE,
  // INPUT_MISMATCH, and those of `credit`.
  absl::StatusOr<AudioIn> ReadAudio(const v1::AudioBlock& block, TakeCredit credit);

  // Errors: as above, and INVALID_CONTROL.
  absl::StatusOr<ControlIn> ReadControl(const v1::ControlBlock& block, TakeCredit credit);

 private:
  absl::Status CheckSize(int64_t bytes) const;
  AudioIn SkipCodecDelay(std::vector<float> samples);
  absl::StatusOr<ChangeIn> ReadChange(const v1::ControlBlock& block);
  absl::StatusOr<ControlsIn> ReadFrames(const v1::ControlBlock& block) const;

  const StreamInput input_;
  const SessionLimits limits_;
  const bool keeps_packets_;
  const std::unique_ptr<BlockDecoder> decoder_;
  const int codec_delay_;
  InputGate gate_;
  int left_to_skip_;
  StreamParameters declared_;            // in force after all changes so far
  std::deque<int64_t> pending_changes_;  // their samples
};

}  // namespace ddsp::server
