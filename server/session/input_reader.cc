#include "server/session/input_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

std::vector<FieldViolation> FrameViolations(const v1::ControlBlock& block) {
  std::vector<FieldViolation> violations;
  if (block.frame_samples() == 0)
    violations.push_back({"frame_samples", "is 0; a frame holds for at least one sample"});
  for (int i = 0; i < block.frames_size() && violations.size() < 10; ++i) {
    const v1::ControlFrame& frame = block.frames(i);
    if (!std::isfinite(frame.f0_hz()) || frame.f0_hz() <= 0) {
      violations.push_back({absl::StrCat("frames[", i, "].f0_hz"), absl::StrCat(frame.f0_hz(), " is not above 0")});
    }
    if (!std::isfinite(frame.loudness_db())) {
      violations.push_back(
          {absl::StrCat("frames[", i, "].loudness_db"), absl::StrCat(frame.loudness_db(), " is not finite")});
    }
  }
  return violations;
}

}  // namespace

InputReader::InputReader(const SessionPlan& plan, const SessionLimits& limits)
    : input_(plan.input),
      limits_(limits),
      keeps_packets_(plan.settings.resumable && plan.input_format.encoding == Encoding::kOpus),
      decoder_(MakeDecoder(plan.input_format)),
      codec_delay_(plan.input_format.encoding == Encoding::kOpus ? plan.input_codec_delay.value_or(decoder_->delay())
                                                                 : 0),
      left_to_skip_(codec_delay_),
      declared_(plan.parameters) {}

absl::Status InputReader::Resume(const InputMark& mark, absl::Span<const std::string> packets,
                                 std::vector<int64_t> pending_changes) {
  gate_ = InputGate(mark.gate);
  left_to_skip_ = std::clamp(mark.left_to_skip, 0, codec_delay_);
  declared_ = mark.declared;
  pending_changes_.assign(pending_changes.begin(), pending_changes.end());
  std::vector<float> heard;
  for (const std::string& packet : packets) RETURN_IF_ERROR(decoder_->Decode(packet, &heard));
  return absl::OkStatus();
}

absl::Status InputReader::CheckSize(int64_t bytes) const {
  if (bytes <= limits_.max_block_bytes) return absl::OkStatus();
  return MakeError(Reason::kBlockTooLarge,
                   absl::StrCat("a block of ", bytes, " bytes is above the limit of ", limits_.max_block_bytes),
                   {{"bytes", absl::StrCat(bytes)}, {"limit", absl::StrCat(limits_.max_block_bytes)}});
}

absl::StatusOr<AudioIn> InputReader::ReadAudio(const v1::AudioBlock& block, TakeCredit credit) {
  if (input_ != StreamInput::kAudio)
    return MakeError(Reason::kInputMismatch, "this session is driven by controls, not audio");
  RETURN_IF_ERROR(gate_.CheckAudio(block.seq(), block.start_sample()));
  RETURN_IF_ERROR(CheckSize(static_cast<int64_t>(block.data().size())));
  ASSIGN_OR_RETURN(const int64_t count, decoder_->CountSamples(block.data()));
  RETURN_IF_ERROR(credit(count));
  std::vector<float> samples;
  samples.reserve(count);
  RETURN_IF_ERROR(decoder_->Decode(block.data(), &samples));
  gate_.PassAudio(static_cast<int64_t>(samples.size()));
  AudioIn audio = SkipCodecDelay(std::move(samples));
  if (keeps_packets_) audio.packet = block.data();
  audio.mark = mark();
  return audio;
}

AudioIn InputReader::SkipCodecDelay(std::vector<float> samples) {
  const int skip = std::min(left_to_skip_, static_cast<int>(samples.size()));
  left_to_skip_ -= skip;
  samples.erase(samples.begin(), samples.begin() + skip);
  return {.samples = std::move(samples), .skipped = skip, .packet = {}, .mark = {}};
}

absl::StatusOr<ControlIn> InputReader::ReadControl(const v1::ControlBlock& block, TakeCredit credit) {
  RETURN_IF_ERROR(gate_.CheckControl(block.seq()));
  RETURN_IF_ERROR(CheckSize(static_cast<int64_t>(block.ByteSizeLong())));
  ControlIn control;
  // A change governs the frames of its own block too, so it comes first.
  if (block.has_parameters()) {
    ASSIGN_OR_RETURN(control.change, ReadChange(block));
  }
  int64_t samples = 0;
  if (!block.frames().empty()) {
    ASSIGN_OR_RETURN(control.frames, ReadFrames(block));
    samples = block.frames_size() * control.frames->frame_samples;
    RETURN_IF_ERROR(credit(samples));
  }
  gate_.PassControl(samples);
  control.mark = mark();
  return control;
}

absl::StatusOr<ChangeIn> InputReader::ReadChange(const v1::ControlBlock& block) {
  const int64_t now = samples();
  RETURN_IF_ERROR(gate_.CheckChange(block.start_sample(), now));
  while (!pending_changes_.empty() && pending_changes_.front() < now) pending_changes_.pop_front();
  if (static_cast<int64_t>(pending_changes_.size()) >= limits_.max_pending_changes) {
    return MakeError(
        Reason::kCreditExceeded,
        absl::StrCat(pending_changes_.size(), " parameter changes wait for samples that were not sent yet"),
        {{"limit", absl::StrCat(limits_.max_pending_changes)}, {"kind", "parameter_changes"}});
  }
  ASSIGN_OR_RETURN(declared_, MergeParameters(block.parameters(), declared_));
  const auto sample = static_cast<int64_t>(block.start_sample());
  gate_.PassChange(sample);
  pending_changes_.push_back(sample);
  return ChangeIn{.sample = sample, .parameters = declared_};
}

absl::StatusOr<ControlsIn> InputReader::ReadFrames(const v1::ControlBlock& block) const {
  if (input_ != StreamInput::kControls)
    return MakeError(Reason::kInputMismatch, "this session is driven by audio, not controls");
  RETURN_IF_ERROR(gate_.CheckFrames(block.start_sample()));
  if (const auto violations = FrameViolations(block); !violations.empty()) {
    return MakeFieldError(
        Reason::kInvalidControl,
        absl::StrCat("frames cannot be played: ", violations[0].field, " ", violations[0].description), violations);
  }
  ControlsIn controls{.frames = {}, .frame_samples = block.frame_samples()};
  for (const v1::ControlFrame& frame : block.frames()) {
    controls.frames.push_back({.f0_hz = frame.f0_hz(), .power_db = frame.loudness_db()});
  }
  return controls;
}

}  // namespace ddsp::server
