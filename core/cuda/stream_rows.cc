#include "core/cuda/stream_rows.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/pitch.h"
#include "core/base/status_macros.h"
#include "core/streaming/frame_between.h"

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
  state.frame = FeatureFrame();
  return absl::OkStatus();
}

FeatureFrame StreamRows::FrameOf(const ControlFrame& control) {
  FeatureFrame frame;
  frame.f0_hz = control.f0_hz;
  frame.f0_confidence = 1;
  frame.voiced = control.f0_hz > 0;
  frame.power_db = frame.loudness_db = control.power_db;
  return frame;
}

StreamRows::Workspace StreamRows::MakeWorkspace(int max_requests) const {
  Workspace workspace{extractor_->MakeWorkspace(), {}};
  workspace.requests.reserve(max_requests);
  return workspace;
}

void StreamRows::Analyse(absl::Span<const HopRequest> requests, Workspace& workspace) {
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

int64_t StreamRows::HopIndex(int slot) const { return slots_[slot].step - format(slots_[slot].input).warmup_hops; }

template <class Visit>
void StreamRows::ForEachSection(const HopRequest& request, Visit visit) const {
  const int frames = voice_->decoder_frames_per_hop(), decoder_hop = voice_->decoder_hop();
  StreamParameters parameters = request.parameters;
  auto change = request.changes.begin();
  for (int frame = 0; frame < frames; ++frame) {
    for (; change != request.changes.end() && change->offset <= (frame + 1) * decoder_hop; ++change) {
      visit(frame, change->offset - frame * decoder_hop, parameters);
      parameters = change->parameters;
    }
    visit(frame, decoder_hop, parameters);
  }
}

int StreamRows::Rows(const HopRequest& request) const {
  int most = 0, rows = 0, last = -1;
  ForEachSection(request, [&](int frame, int, const StreamParameters&) {
    rows = frame == last ? rows + 1 : 1;
    last = frame;
    most = std::max(most, rows);
  });
  return most;
}

void StreamRows::Fill(const HopRequest& request, int first_row, int index, const StepInput& input) const {
  const Slot& slot = slots_[request.slot];
  const int frames = voice_->decoder_frames_per_hop(), rows = Rows(request);
  const int64_t first_frame = HopIndex(request.slot) * frames + 1;  // of the hop
  for (int frame = 0; frame < frames; ++frame) {
    input.frame(frame).requests[index] = {.frame_index = first_frame + frame,
                                          .seed = slot.seed,
                                          .slot = request.slot,
                                          .first_row = first_row,
                                          .end_row = first_row};
    std::fill_n(input.frame(frame).rows + first_row, rows, RowInput());
  }
  ForEachSection(request, [&](int frame, int end, const StreamParameters& parameters) {
    if (first_frame + frame < 0) return;
    const FrameInput place = input.frame(frame);
    const int row = place.requests[index].end_row++;
    place.rows[row] = {.slot = request.slot, .section_end = end};
    FillRow(FrameBetween(slot.previous, slot.frame, (frame + 1.0) / frames), parameters, slot, row, place);
  });
  for (int frame = 0; frame < frames; ++frame) {
    const RequestInput& filled = input.frame(frame).requests[index];
    if (filled.end_row > first_row) input.frame(frame).rows[filled.end_row - 1].keeps_state = 1;
  }
}

void StreamRows::FillRow(const FeatureFrame& frame, const StreamParameters& parameters, const Slot& slot, int row,
                         const FrameInput& input) const {
  const double semitones = parameters.pitch_shift_semitones + slot.profile.octave_shift_semitones();
  const float f0_hz = std::clamp(static_cast<float>(frame.f0_hz * std::exp2(semitones / 12)), kMinF0Hz, kMaxF0Hz);
  const float shift_db = static_cast<float>(parameters.loudness_shift_db);
  float* feature = input.features + row * inputs_.size();
  for (const Feature kind : inputs_) {
    const float db = slot.profile.PowerDb(kind == Feature::kLoudness ? frame.loudness_db : frame.power_db) + shift_db;
    *feature++ = kind == Feature::kF0 ? static_cast<float>(HzToMidi(f0_hz)) / 127.0f : db / 80.0f + 1.0f;
  }
  input.rows[row].f0_hz = f0_hz;
}

}  // namespace ddsp::cuda
