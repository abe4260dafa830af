#include "core/streaming/stream_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/pitch.h"
#include "core/base/status_macros.h"
#include "core/streaming/frame_between.h"

namespace ddsp {
namespace {

constexpr int64_t kMostSteps = int64_t{1} << 40;
constexpr float kMinF0Hz = 8.1758f, kMaxF0Hz = 12543.85f;  // MIDI 0 and 127

PerformerProfile NeutralProfile(const v1::VoiceSpec& spec) {
  PerformerProfile profile;
  profile.name = "neutral";
  profile.power_quantiles_db.assign(spec.profile().power_quantiles_db().begin(),
                                    spec.profile().power_quantiles_db().end());
  profile.mean_pitch_midi = spec.profile().mean_pitch_midi();
  return profile;
}

FeatureFrame FrameOf(const ControlFrame& control) {
  FeatureFrame frame;
  frame.f0_hz = control.f0_hz;
  frame.f0_confidence = 1;
  frame.voiced = control.f0_hz > 0;
  frame.power_db = frame.loudness_db = control.power_db;
  return frame;
}

bool AllFinite(absl::Span<const float> samples) {
  // A sum is finite unless a term is not: samples are far too small to overflow it.
  float sum = 0;
  for (const float x : samples) sum += x * 0.0f;
  return sum == 0;
}

}  // namespace

void Silence(absl::Span<float> output) { std::fill(output.begin(), output.end(), 0.0f); }

absl::Status CheckFinite(const Voice& voice, int64_t hop, absl::Span<float> output) {
  if (AllFinite(output)) return absl::OkStatus();
  Silence(output);
  return absl::InternalError(absl::StrCat(voice.id(), " made a sample that is not finite in hop ", hop));
}

absl::StatusOr<StreamTable> StreamTable::Create(std::shared_ptr<const Voice> voice, int slots) {
  const FeatureSettings settings = voice->feature_settings();
  if (settings.version != FeatureSettings::kVersion) {
    return absl::FailedPreconditionError(absl::StrCat(voice->id(), ": trained on features of extractor version ",
                                                      settings.version, ", this is version ",
                                                      FeatureSettings::kVersion));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<const FeatureExtractor> extractor, FeatureExtractor::Create(settings));
  return StreamTable(std::move(voice), std::move(extractor), slots);
}

StreamTable::StreamTable(std::shared_ptr<const Voice> voice, std::unique_ptr<const FeatureExtractor> extractor,
                         int slots)
    : voice_(std::move(voice)), extractor_(std::move(extractor)), neutral_(NeutralProfile(voice_->spec)) {
  for (const std::string& key : voice_->spec.decoder().input_keys()) {
    inputs_.push_back(key == "f0_scaled" ? Feature::kF0 : key == "ld_scaled" ? Feature::kLoudness : Feature::kPower);
  }
  slots_.reserve(slots);
  for (int i = 0; i < slots; ++i) slots_.emplace_back(extractor_->MakeState());
}

StreamFormat StreamTable::format(StreamInput input) const {
  StreamFormat format{.sample_rate = voice_->spec.sample_rate_hz(), .hop_size = voice_->spec.hop_size()};
  // A hop needs the frame at its end: one step more than the frame at its start.
  if (input == StreamInput::kAudio) {
    format.input_rate = extractor_->settings().sample_rate;
    format.input_hop = extractor_->hop();
    format.preroll = extractor_->preroll();
    format.warmup_hops = extractor_->warmup_steps() + 1;
  } else {
    format.preroll = format.hop_size - 1;  // a frame is known with its first sample
    format.warmup_hops = 1;
  }
  return format;
}

std::vector<StatePart> StreamTable::state_parts() const {
  const int64_t profile = 2 * kProfileQuantiles * sizeof(float);
  return {{"features", FeatureState::bytes()},
          {"stream", static_cast<int64_t>(sizeof(Slot) - sizeof(FeatureState)) + profile}};
}

absl::Status StreamTable::Reset(int slot, const StreamSettings& settings) {
  DDSP_CHECK(slot >= 0 && slot < slots(), "slots are numbered from 0");
  Slot& state = slots_[slot];
  state.profile = ProfileMap();
  if (settings.profile.has_value()) {
    RETURN_IF_ERROR(ValidateProfile(*settings.profile));
    RETURN_IF_ERROR(ValidateProfile(neutral_));
    state.profile = ProfileMap(*settings.profile, neutral_);
  }
  state.features.Reset();
  state.input = settings.input;
  state.resumable = settings.resumable;
  state.seed = settings.seed;
  state.step = 0;
  state.previous = state.frame = FeatureFrame();
  return absl::OkStatus();
}

void StreamTable::Save(int slot, StateWriter& writer) const {
  const Slot& state = slots_[slot];
  writer.Int(static_cast<int64_t>(state.input));
  writer.Int(state.step);
  SaveFrame(state.previous, writer);
  SaveFrame(state.frame, writer);
  if (state.input == StreamInput::kAudio) state.features.Save(writer);
}

void StreamTable::Restore(int slot, StateReader& reader) {
  Slot& state = slots_[slot];
  const auto input = static_cast<int64_t>(state.input);
  reader.Int(input, input);
  state.step = reader.Int(0, kMostSteps);
  state.previous = RestoreFrame(reader);
  state.frame = RestoreFrame(reader);
  if (state.input == StreamInput::kAudio) state.features.Restore(reader);
}

StreamTable::Workspace StreamTable::MakeWorkspace(int max_requests) const {
  Workspace workspace{extractor_->MakeWorkspace(), {}};
  workspace.requests.reserve(max_requests);
  return workspace;
}

void StreamTable::Analyse(absl::Span<const HopRequest> requests, Workspace& workspace) {
  workspace.requests.clear();
  for (const HopRequest& request : requests) {
    Slot& slot = slots_[request.slot];
    slot.previous = slot.frame;
    if (slot.input == StreamInput::kAudio) {
      workspace.requests.push_back({{request.audio.data(), request.audio.size()}, &slot.features, &slot.frame});
    } else {
      slot.frame = FrameOf(request.control);
    }
  }
  extractor_->Step(workspace.requests, workspace.features);
  for (const HopRequest& request : requests) {
    if (request.features != nullptr) *request.features = slots_[request.slot].frame;
  }
}

int64_t StreamTable::HopIndex(int slot) const {
  const bool of_audio = slots_[slot].input == StreamInput::kAudio;
  return slots_[slot].step - (of_audio ? extractor_->warmup_steps() + 1 : 1);
}

float StreamTable::Hear(int slot, const Section& section, float* features) const {
  const Slot& state = slots_[slot];
  const double share = (section.frame + 1.0) / voice_->decoder_frames_per_hop();
  const FeatureFrame frame = FrameBetween(state.previous, state.frame, share);
  const double semitones = section.parameters.pitch_shift_semitones + state.profile.octave_shift_semitones();
  const float f0_hz = std::clamp(static_cast<float>(frame.f0_hz * std::exp2(semitones / 12)), kMinF0Hz, kMaxF0Hz);
  const float shift_db = static_cast<float>(section.parameters.loudness_shift_db);
  for (const Feature input : inputs_) {
    if (input == Feature::kF0) {
      *features++ = static_cast<float>(HzToMidi(f0_hz)) / 127.0f;
      continue;
    }
    const float db = input == Feature::kLoudness ? frame.loudness_db : frame.power_db;
    *features++ = (state.profile.PowerDb(db) + shift_db) / 80.0f + 1.0f;
  }
  return f0_hz;
}

}  // namespace ddsp
