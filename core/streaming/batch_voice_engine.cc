#include "core/streaming/batch_voice_engine.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/pitch.h"
#include "core/base/status_macros.h"
#include "core/streaming/flush_denormals.h"
#include "core/streaming/frame_between.h"

namespace ddsp {
namespace {

constexpr float kMinF0Hz = 8.1758f, kMaxF0Hz = 12543.85f;  // MIDI 0 and 127

bool AllFinite(absl::Span<const float> samples) {
  // A sum is finite unless a term is not: samples are far too small to overflow it.
  float sum = 0;
  for (const float x : samples) sum += x * 0.0f;
  return sum == 0;
}

PerformerProfile NeutralProfile(const v1::VoiceSpec& spec) {
  PerformerProfile profile;
  profile.name = "neutral";
  profile.power_quantiles_db.assign(spec.profile().power_quantiles_db().begin(),
                                    spec.profile().power_quantiles_db().end());
  profile.mean_pitch_midi = spec.profile().mean_pitch_midi();
  return profile;
}

// A frame as the voice hears it: shifted and mapped to its own dynamics and register.
struct Sound {
  float f0_hz, power_db, loudness_db;
};

Sound Hear(const FeatureFrame& frame, const StreamParameters& parameters, const ProfileMap& profile) {
  const double semitones = parameters.pitch_shift_semitones + profile.octave_shift_semitones();
  const double f0_hz = frame.f0_hz * std::exp2(semitones / 12);
  const float shift = static_cast<float>(parameters.loudness_shift_db);
  return {std::clamp(static_cast<float>(f0_hz), kMinF0Hz, kMaxF0Hz), profile.PowerDb(frame.power_db) + shift,
          profile.PowerDb(frame.loudness_db) + shift};
}

FeatureFrame FrameOfControl(const ControlFrame& control) {
  FeatureFrame frame;
  frame.f0_hz = control.f0_hz;
  frame.f0_confidence = 1;
  frame.voiced = control.f0_hz > 0;
  frame.power_db = frame.loudness_db = control.power_db;
  return frame;
}

}  // namespace

struct BatchVoiceEngine::Workspace : StepWorkspace {
  Workspace(HopControls made, FeatureWorkspace analysis) : controls(std::move(made)), features(std::move(analysis)) {
    sounding.reserve(HopControls::kMaxStreams);
    previous.reserve(HopControls::kMaxStreams);
    heard.reserve(HopControls::kMaxStreams);
  }
  HopControls controls;
  FeatureWorkspace features;
  std::vector<FeatureRequest> heard;   // requests of a group with audio
  std::vector<FeatureFrame> previous;  // of each request of a group
  std::vector<int> sounding;           // requests of a group that have a frame
  StageGraph::Workspace graph;
};

absl::StatusOr<std::unique_ptr<BatchVoiceEngine>> BatchVoiceEngine::Create(std::shared_ptr<const Voice> voice,
                                                                           int slots) {
  const FeatureSettings settings = voice->feature_settings();
  if (settings.version != FeatureSettings::kVersion) {
    return absl::FailedPreconditionError(absl::StrCat(voice->id(), ": trained on features of extractor version ",
                                                      settings.version, ", this is version ",
                                                      FeatureSettings::kVersion));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<const FeatureExtractor> extractor, FeatureExtractor::Create(settings));
  absl::StatusOr<StageGraph> graph = StageGraph::Compile(*voice, FrameLayout(voice->spec.decoder()));
  if (!graph.ok()) return absl::InvalidArgumentError(absl::StrCat(voice->id(), ": ", graph.status().message()));
  return std::unique_ptr<BatchVoiceEngine>(
      new BatchVoiceEngine(std::move(voice), std::move(extractor), *std::move(graph), slots));
}

BatchVoiceEngine::BatchVoiceEngine(std::shared_ptr<const Voice> voice,
                                   std::unique_ptr<const FeatureExtractor> extractor, StageGraph graph, int slots)
    : voice_(std::move(voice)),
      extractor_(std::move(extractor)),
      layout_(voice_->spec.decoder()),
      decoder_(*voice_),
      graph_(std::move(graph)),
      neutral_(NeutralProfile(voice_->spec)),
      decoder_state_(slots * decoder_.state_size()),
      memory_(graph_.MakeMemory(slots)) {
  slots_.reserve(slots);
  for (int i = 0; i < slots; ++i) slots_.emplace_back(extractor_->MakeState());
}

StreamFormat BatchVoiceEngine::format(StreamInput input) const {
  StreamFormat format{voice_->spec.sample_rate_hz(), voice_->spec.hop_size(), 0, 0, graph_.tail()};
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

std::vector<StatePart> BatchVoiceEngine::state_parts() const {
  std::vector<StatePart> parts = graph_.state_parts();
  const int64_t profile = 2 * kProfileQuantiles * sizeof(float);
  parts.push_back({"decoder", static_cast<int64_t>(decoder_.state_size() * sizeof(float))});
  parts.push_back({"features", FeatureState::bytes()});
  parts.push_back({"stream", static_cast<int64_t>(sizeof(Slot) - sizeof(FeatureState)) + profile});
  return parts;
}

int64_t BatchVoiceEngine::bytes_per_slot() const {
  int64_t bytes = 0;
  for (const StatePart& part : state_parts()) bytes += part.bytes;
  return bytes;
}

std::unique_ptr<StepWorkspace> BatchVoiceEngine::MakeWorkspace() const {
  auto work = std::make_unique<Workspace>(HopControls(*voice_, decoder_, layout_), extractor_->MakeWorkspace());
  work->graph = graph_.MakeWorkspace();
  work->statuses.reserve(slots());
  return work;
}

absl::Status BatchVoiceEngine::Reset(int slot, const StreamSettings& settings) {
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
  state.seed = settings.seed;
  state.step = 0;
  state.frame = FeatureFrame();
  std::fill_n(decoder_state_.begin() + slot * decoder_.state_size(), decoder_.state_size(), 0.0f);
  graph_.Reset(slot, memory_);
  return absl::OkStatus();
}

int64_t BatchVoiceEngine::FrameOf(const Slot& slot) const { return slot.step - format(slot.input).warmup_hops + 1; }

void BatchVoiceEngine::Analyse(absl::Span<const HopRequest> requests, Workspace& work) {
  work.previous.clear();
  work.heard.clear();
  for (const HopRequest& request : requests) {
    Slot& slot = slots_[request.slot];
    work.previous.push_back(slot.frame);
    if (slot.input == StreamInput::kAudio) {
      work.heard.push_back({{request.audio.data(), request.audio.size()}, &slot.features, &slot.frame});
    } else {
      slot.frame = FrameOfControl(request.control);
    }
  }
  extractor_->Step(work.heard, work.features);
}

void BatchVoiceEngine::Describe(const FeatureFrame& frame, const StreamParameters& parameters,
                                const ProfileMap& profile, const HopControls::Heard& heard) const {
  const Sound sound = Hear(frame, parameters, profile);
  float* feature = heard.features;
  for (const std::string& key : voice_->spec.decoder().input_keys()) {
    const float db = key == "ld_scaled" ? sound.loudness_db : sound.power_db;
    *feature++ = key == "f0_scaled" ? static_cast<float>(HzToMidi(sound.f0_hz)) / 127.0f : db / 80.0f + 1.0f;
  }
  *heard.f0_hz = sound.f0_hz;
}

void BatchVoiceEngine::Describe(const HopRequest& request, const FeatureFrame& previous, int stream,
                                HopControls& controls) const {
  const Slot& slot = slots_[request.slot];
  const int frames = controls.frames_per_hop(), decoder_hop = voice_->decoder_hop();
  const bool starts = FrameOf(slot) == 0;
  StreamParameters parameters = request.parameters;
  auto change = request.changes.begin();
  for (int i = 0; i < frames; ++i) {
    const FeatureFrame frame = FrameBetween(previous, slot.frame, (i + 1.0) / frames);
    for (; change != request.changes.end() && change->offset <= (i + 1) * decoder_hop; ++change) {
      if (!starts || i == frames - 1) {
        Describe(frame, parameters, slot.profile, controls.AddSection(stream, i, change->offset - i * decoder_hop));
      }
      parameters = change->parameters;
    }
    Describe(frame, parameters, slot.profile, controls.Frame(stream, i));
  }
}

absl::Status BatchVoiceEngine::Synthesise(const HopRequest& request, absl::Span<const ControlStep> frames,
                                          Workspace& work) {
  const Slot& slot = slots_[request.slot];
  graph_.Step(request.slot, slot.seed, frames, request.output.data(), memory_, work.graph);
  if (frames.front().frame_index == 0) std::fill(request.output.begin(), request.output.end(), 0.0f);
  if (AllFinite(request.output)) return absl::OkStatus();
  std::fill(request.output.begin(), request.output.end(), 0.0f);
  return absl::InternalError(
      absl::StrCat(voice_->id(), " made a sample that is not finite in hop ", FrameOf(slot) - 1));
}

void BatchVoiceEngine::StepGroup(absl::Span<const HopRequest> requests, absl::Span<absl::Status> statuses,
                                 Workspace& work) {
  Analyse(requests, work);
  work.sounding.clear();
  for (size_t i = 0; i < requests.size(); ++i) {
    const HopRequest& request = requests[i];
    const Slot& slot = slots_[request.slot];
    if (request.features != nullptr) *request.features = slot.frame;
    if (FrameOf(slot) >= 0) {
      work.sounding.push_back(static_cast<int>(i));
    } else {
      std::fill(request.output.begin(), request.output.end(), 0.0f);
    }
  }
  const int streams = static_cast<int>(work.sounding.size());
  work.controls.Begin(streams);
  for (int i = 0; i < streams; ++i) {
    const HopRequest& request = requests[work.sounding[i]];
    work.controls.SetStream(i, &decoder_state_[request.slot * decoder_.state_size()],
                            FrameOf(slots_[request.slot]) == 0);
    Describe(request, work.previous[work.sounding[i]], i, work.controls);
  }
  work.controls.Decode();
  for (int i = 0; i < streams; ++i) {
    const HopRequest& request = requests[work.sounding[i]];
    const int64_t first = (FrameOf(slots_[request.slot]) - 1) * work.controls.frames_per_hop() + 1;
    statuses[work.sounding[i]] = Synthesise(request, work.controls.Frames(i, first), work);
  }
  for (const HopRequest& request : requests) ++slots_[request.slot].step;
}

absl::Span<const absl::Status> BatchVoiceEngine::Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) {
  const ScopedFlushDenormals flush;
  auto& work = static_cast<Workspace&>(workspace);
  work.statuses.assign(requests.size(), absl::OkStatus());
  constexpr size_t kGroup = HopControls::kMaxStreams;
  for (size_t begin = 0; begin < requests.size(); begin += kGroup) {
    StepGroup(requests.subspan(begin, kGroup), absl::MakeSpan(work.statuses).subspan(begin, kGroup), work);
  }
  return work.statuses;
}

}  // namespace ddsp
