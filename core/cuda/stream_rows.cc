#include "core/cuda/stream_rows.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/pitch.h"
#include "core/base/status_macros.h"

namespace ddsp::cuda {
namespace {

constexpr float kMinF0Hz = 8.1758f, kMaxF0Hz = 12543.85f;  // MIDI 0 and 127

}  // namespace

absl::StatusOr<StreamRows> StreamRows::Create(std::shared_ptr<const Voice> voice, int slots) {
  const FeatureSettings settings = voice->feature_settings();
  if (settings.version != FeatureSettings::kVersion) {
    return absl::FailedPreconditionError(absl::StrCat(voice->id(), ": trained on features of extractor version ",
                                                      settings.version, ", this is version ",
                                                      FeatureSettings::kVersion));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<const FeatureExtractor> extractor, FeatureExtractor::Create(settings));
  return StreamRows(std::move(voice), std::move(extractor), slots);
}

StreamRows::StreamRows(std::shared_ptr<const Voice> voice, std::unique_ptr<const FeatureExtractor> extractor, int slots)
    : voice_(std::move(voice)), extractor_(std::move(extractor)) {
  for (const std::string& key : voice_->spec.decoder().input_keys()) {
    inputs_.push_back(key == "f0_scaled" ? Feature::kF0 : key == "ld_scaled" ? Feature::kLoudness : Feature::kPower);
  }
  const auto& profile = voice_->spec.profile();
  neutral_.name = "neutral";
  neutral_.power_quantiles_db.assign(profile.power_quantiles_db().begin(), profile.power_quantiles_db().end());
  neutral_.mean_pitch_midi = profile.mean_pitch_midi();
  slots_.reserve(slots);
  for (int i = 0; i < slots; ++i) slots_.emplace_back(extractor_->MakeState());
}

StreamFormat StreamRows::format(StreamInput input) const {
  StreamFormat format{voice_->spec.sample_rate_hz(), voice_->spec.hop_size(), 0, 0, 0};
  // A hop needs the frame at its end: one step more than the frame at its start.
  if (input == StreamInput::kAudio) {
    format.preroll = extractor_->preroll();
    format.warmup_hops = extractor_->warmup_steps() + 1;
  } else {
    format.preroll = format.hop_size - 1;  // a frame is known with its first sample
    format.warmup_hops = 1;
  }
  return format;
}

absl::Status StreamRows::Reset(int slot, const StreamSettings& settings) {
  Slot& state = slots_[slot];
  state.profile = ProfileMap();
  if (settings.profile.has_value()) {
    RETURN_IF_ERROR(ValidateProfile(*settings.profile));
    RETURN_IF_ERROR(ValidateProfile(neutral_));
    state.profile = ProfileMap(*settings.profile, neutral_);
  }
  state.features.Reset();
  state.input = settings.input;
  state.seed = settings.seed;
  state.step = 0;
  return absl::OkStatus();
}

FeatureFrame StreamRows::Analyse(const HopRequest& request) {
  Slot& slot = slots_[request.slot];
  if (slot.input == StreamInput::kAudio)
    return extractor_->Step({request.audio.data(), request.audio.size()}, slot.features);
  FeatureFrame frame;
  frame.f0_hz = request.control.f0_hz;
  frame.f0_confidence = 1;
  frame.voiced = request.control.f0_hz > 0;
  frame.power_db = frame.loudness_db = request.control.power_db;
  return frame;
}

int64_t StreamRows::FrameIndex(int slot) const {
  return slots_[slot].step - format(slots_[slot].input).warmup_hops + 1;
}

void StreamRows::Fill(const HopRequest& request, const FeatureFrame& frame, RowInput* rows, float* features) const {
  StreamParameters parameters = request.parameters;
  for (const ParameterChange& change : request.changes) {
    *rows = FillRow(request, frame, parameters, features);
    (rows++)->section_end = change.offset;
    features += inputs_.size();
    parameters = change.parameters;
  }
  *rows = FillRow(request, frame, parameters, features);
  rows->section_end = voice_->spec.hop_size();
  rows->keeps_state = 1;
}

RowInput StreamRows::FillRow(const HopRequest& request, const FeatureFrame& frame, const StreamParameters& parameters,
                             float* features) const {
  const ProfileMap& profile = slots_[request.slot].profile;
  const double semitones = parameters.pitch_shift_semitones + profile.octave_shift_semitones();
  const float f0_hz = static_cast<float>(frame.f0_hz * std::exp2(semitones / 12));
  const float heard_f0_hz = std::clamp(f0_hz, kMinF0Hz, kMaxF0Hz);
  const float shift_db = static_cast<float>(parameters.loudness_shift_db);
  for (const Feature input : inputs_) {
    const float db = profile.PowerDb(input == Feature::kLoudness ? frame.loudness_db : frame.power_db) + shift_db;
    *features++ = input == Feature::kF0 ? static_cast<float>(HzToMidi(heard_f0_hz)) / 127.0f : db / 80.0f + 1.0f;
  }
  return {.slot = request.slot, .f0_hz = heard_f0_hz};
}

}  // namespace ddsp::cuda
