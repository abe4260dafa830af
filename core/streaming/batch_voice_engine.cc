#include "core/streaming/batch_voice_engine.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/pitch.h"
#include "core/base/status_macros.h"
#include "core/streaming/flush_denormals.h"

namespace ddsp {
namespace {

// Rows that go through the decoder together: enough to reuse a weight while it is in cache, few enough for the rest to
// stay.
constexpr int kDecoderRows = 64;
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
struct Heard {
  float f0_hz, power_db, loudness_db;
};

Heard Hear(const FeatureFrame& frame, const StreamParameters& parameters, const ProfileMap& profile) {
  const double semitones = parameters.pitch_shift_semitones + profile.octave_shift_semitones();
  const double f0_hz = frame.f0_hz * std::exp2(semitones / 12);
  const float shift = static_cast<float>(parameters.loudness_shift_db);
  return {std::clamp(static_cast<float>(f0_hz), kMinF0Hz, kMaxF0Hz), profile.PowerDb(frame.power_db) + shift,
          profile.PowerDb(frame.loudness_db) + shift};
}

}  // namespace

struct BatchVoiceEngine::Workspace : StepWorkspace {
  std::vector<Row> rows;
  std::vector<float> row_features, row_frames;    // [rows, inputs], [rows, layout]
  std::vector<float> batch_state, batch_outputs;  // [kDecoderRows, units], [kDecoderRows, outputs]
  DecoderStep::Workspace decoder;
  std::vector<FrameSection> sections;
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

int64_t BatchVoiceEngine::bytes_per_slot() const {
  return graph_.bytes_per_slot() + decoder_.state_size() * sizeof(float) + sizeof(Slot);
}

std::unique_ptr<StepWorkspace> BatchVoiceEngine::MakeWorkspace() const {
  auto work = std::make_unique<Workspace>();
  work->batch_state.resize(kDecoderRows * decoder_.state_size());
  work->batch_outputs.resize(kDecoderRows * decoder_.outputs());
  work->decoder = decoder_.MakeWorkspace(kDecoderRows);
  work->graph = graph_.MakeWorkspace();
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
  std::fill_n(decoder_state_.begin() + slot * decoder_.state_size(), decoder_.state_size(), 0.0f);
  graph_.Reset(slot, memory_);
  return absl::OkStatus();
}

int64_t BatchVoiceEngine::FrameOf(const Slot& slot) const { return slot.step - format(slot.input).warmup_hops + 1; }

FeatureFrame BatchVoiceEngine::Analyse(const HopRequest& request, Slot& slot) const {
  if (slot.input == StreamInput::kAudio)
    return extractor_->Step({request.audio.data(), request.audio.size()}, slot.features);
  FeatureFrame frame;
  frame.f0_hz = request.control.f0_hz;
  frame.f0_confidence = 1;
  frame.voiced = request.control.f0_hz > 0;
  frame.power_db = frame.loudness_db = request.control.power_db;
  return frame;
}

void BatchVoiceEngine::AddRow(const HopRequest& request, const FeatureFrame& frame, const StreamParameters& parameters,
                              Row row, Workspace& work) const {
  const Heard heard = Hear(frame, parameters, slots_[request.slot].profile);
  for (const std::string& key : voice_->spec.decoder().input_keys()) {
    const float db = key == "ld_scaled" ? heard.loudness_db : heard.power_db;
    work.row_features.push_back(key == "f0_scaled" ? static_cast<float>(HzToMidi(heard.f0_hz)) / 127.0f
                                                   : db / 80.0f + 1.0f);
  }
  const size_t at = work.row_frames.size();
  work.row_frames.resize(at + layout_.size());
  work.row_frames[at + layout_.f0_offset()] = heard.f0_hz;
  work.rows.push_back(row);
}

void BatchVoiceEngine::AddRows(absl::Span<const HopRequest> requests, int index, const FeatureFrame& frame,
                               Workspace& work) const {
  const HopRequest& request = requests[index];
  StreamParameters parameters = request.parameters;
  for (const ParameterChange& change : request.changes) {
    AddRow(request, frame, parameters, {index, change.offset, false}, work);
    parameters = change.parameters;
  }
  AddRow(request, frame, parameters, {index, voice_->spec.hop_size(), true}, work);
}

void BatchVoiceEngine::Decode(absl::Span<const HopRequest> requests, Workspace& work) {
  const int units = decoder_.state_size(), outputs = decoder_.outputs();
  for (size_t begin = 0; begin < work.rows.size(); begin += kDecoderRows) {
    const int count = static_cast<int>(std::min<size_t>(kDecoderRows, work.rows.size() - begin));
    const auto slot_state = [&](int i) { return &decoder_state_[requests[work.rows[begin + i].request].slot * units]; };
    // All rows of a request start from the same state. Only its last one writes it back, so that holds across batches
    // too.
    for (int i = 0; i < count; ++i) std::copy_n(slot_state(i), units, &work.batch_state[i * units]);
    decoder_.Step(&work.row_features[begin * decoder_.inputs()], count, work.batch_state.data(),
                  work.batch_outputs.data(), work.decoder);
    for (int i = 0; i < count; ++i) {
      if (work.rows[begin + i].keeps_state) std::copy_n(&work.batch_state[i * units], units, slot_state(i));
      std::copy_n(&work.batch_outputs[i * outputs], outputs, &work.row_frames[(begin + i) * layout_.size()]);
    }
  }
}

absl::Status BatchVoiceEngine::Synthesise(const HopRequest& request, int first_row, int end_row, Workspace& work) {
  work.sections.clear();
  for (int row = first_row; row < end_row; ++row) {
    work.sections.push_back({work.rows[row].section_end, &work.row_frames[row * layout_.size()]});
  }
  const Slot& slot = slots_[request.slot];
  StageStep step;
  step.frame_index = FrameOf(slot);
  step.seed = slot.seed;
  step.sections = work.sections;
  graph_.Step(request.slot, step, request.output.data(), memory_, work.graph);
  if (step.frame_index == 0) std::fill(request.output.begin(), request.output.end(), 0.0f);
  if (AllFinite(request.output)) return absl::OkStatus();
  std::fill(request.output.begin(), request.output.end(), 0.0f);
  return absl::InternalError(
      absl::StrCat(voice_->id(), " made a sample that is not finite in hop ", step.frame_index - 1));
}

absl::Span<const absl::Status> BatchVoiceEngine::Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) {
  const ScopedFlushDenormals flush;
  auto& work = static_cast<Workspace&>(workspace);
  work.statuses.assign(requests.size(), absl::OkStatus());
  work.rows.clear();
  work.row_features.clear();
  work.row_frames.clear();
  for (size_t i = 0; i < requests.size(); ++i) {
    const HopRequest& request = requests[i];
    Slot& slot = slots_[request.slot];
    const FeatureFrame frame = Analyse(request, slot);
    if (request.features != nullptr) *request.features = frame;
    if (FrameOf(slot) >= 0) {
      AddRows(requests, static_cast<int>(i), frame, work);
    } else {
      std::fill(request.output.begin(), request.output.end(), 0.0f);
    }
  }
  Decode(requests, work);
  for (size_t begin = 0, end = 0; begin < work.rows.size(); begin = end) {
    while (end < work.rows.size() && work.rows[end].request == work.rows[begin].request) ++end;
    work.statuses[work.rows[begin].request] =
        Synthesise(requests[work.rows[begin].request], static_cast<int>(begin), static_cast<int>(end), work);
  }
  for (const HopRequest& request : requests) ++slots_[request.slot].step;
  return work.statuses;
}

}  // namespace ddsp
