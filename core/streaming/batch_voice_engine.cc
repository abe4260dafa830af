#include "core/streaming/batch_voice_engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/streaming/flush_denormals.h"

namespace ddsp {
namespace {

// Counts the forms that a saved slot has had.
constexpr int64_t kStateForm = 1;

}  // namespace

struct BatchVoiceEngine::Workspace : StepWorkspace {
  Workspace(HopControls made, StreamTable::Workspace analysis)
      : controls(std::move(made)), features(std::move(analysis)) {
    sounding.reserve(HopControls::kMaxStreams);
  }
  HopControls controls;
  StreamTable::Workspace features;
  std::vector<int> sounding;  // requests of a group that have a frame
  StageGraph::Workspace graph;
};

absl::StatusOr<std::unique_ptr<BatchVoiceEngine>> BatchVoiceEngine::Create(std::shared_ptr<const Voice> voice,
                                                                           int slots) {
  ASSIGN_OR_RETURN(StreamTable streams, StreamTable::Create(voice, slots));
  absl::StatusOr<StageGraph> graph = StageGraph::Compile(*voice, FrameLayout(voice->spec.decoder()));
  if (!graph.ok()) return absl::InvalidArgumentError(absl::StrCat(voice->id(), ": ", graph.status().message()));
  return std::unique_ptr<BatchVoiceEngine>(
      new BatchVoiceEngine(std::move(voice), std::move(streams), *std::move(graph)));
}

BatchVoiceEngine::BatchVoiceEngine(std::shared_ptr<const Voice> voice, StreamTable streams, StageGraph graph)
    : voice_(std::move(voice)),
      layout_(voice_->spec.decoder()),
      decoder_(*voice_),
      graph_(std::move(graph)),
      streams_(std::move(streams)),
      decoder_state_(slots() * decoder_.state_size()),
      memory_(graph_.MakeMemory(slots())) {}

StreamFormat BatchVoiceEngine::format(StreamInput input) const {
  StreamFormat format = streams_.format(input);
  format.tail = graph_.tail();
  return format;
}

std::vector<StatePart> BatchVoiceEngine::state_parts() const {
  std::vector<StatePart> parts = graph_.state_parts();
  parts.push_back({"decoder", static_cast<int64_t>(decoder_.state_size() * sizeof(float))});
  for (StatePart& part : streams_.state_parts()) parts.push_back(std::move(part));
  return parts;
}

int64_t BatchVoiceEngine::bytes_per_slot() const {
  int64_t bytes = 0;
  for (const StatePart& part : state_parts()) bytes += part.bytes;
  return bytes;
}

std::unique_ptr<StepWorkspace> BatchVoiceEngine::MakeWorkspace() const {
  auto work = std::make_unique<Workspace>(HopControls(*voice_, decoder_, layout_),
                                          streams_.MakeWorkspace(HopControls::kMaxStreams));
  work->graph = graph_.MakeWorkspace();
  work->statuses.reserve(slots());
  return work;
}

absl::Status BatchVoiceEngine::Reset(int slot, const StreamSettings& settings) {
  RETURN_IF_ERROR(streams_.Reset(slot, settings));
  std::fill_n(decoder_state_.begin() + slot * decoder_.state_size(), decoder_.state_size(), 0.0f);
  graph_.Reset(slot, memory_);
  if (settings.resumable) graph_.KeepHistory(slot, memory_);
  return absl::OkStatus();
}

absl::StatusOr<std::string> BatchVoiceEngine::Save(int slot) {
  if (!streams_.resumable(slot)) return absl::FailedPreconditionError("the stream was not begun as one to be saved");
  StateWriter writer;
  writer.Int(kStateForm);
  writer.Bytes(voice_->id());
  writer.CountedFloats(
      absl::MakeConstSpan(decoder_state_).subspan(slot * decoder_.state_size(), decoder_.state_size()));
  streams_.Save(slot, writer);
  graph_.Save(slot, memory_, writer);
  return writer.Take();
}

absl::Status BatchVoiceEngine::Restore(int slot, const StreamSettings& settings, std::string_view state) {
  const ScopedFlushDenormals flush;
  StreamSettings resumable = settings;
  resumable.resumable = true;
  RETURN_IF_ERROR(Reset(slot, resumable));
  StateReader reader(state);
  reader.Int(kStateForm, kStateForm);
  if (const std::string_view id = reader.Bytes(); id != voice_->id()) reader.Fail("it is not of this voice");
  const size_t units = decoder_.state_size();
  const std::vector<float> decoder = reader.CountedFloats(units);
  if (decoder.size() != units) reader.Fail("it is of another decoder");
  if (!reader.ok()) return reader.Finish();
  std::copy(decoder.begin(), decoder.end(), decoder_state_.begin() + slot * units);
  streams_.Restore(slot, reader);
  graph_.Restore(slot, reader, memory_);
  return reader.Finish();
}

void BatchVoiceEngine::Describe(const HopRequest& request, int stream, HopControls& controls) const {
  const bool starts = streams_.HopIndex(request.slot) < 0;
  streams_.ForEachSection(request, [&](const StreamTable::Section& section) {
    // A stream that starts has but the last frame.
    if (!section.last && starts && section.frame + 1 < controls.frames_per_hop()) return;
    const HopControls::Heard heard =
        section.last ? controls.Frame(stream, section.frame) : controls.AddSection(stream, section.frame, section.end);
    *heard.f0_hz = streams_.Hear(request.slot, section, heard.features);
  });
}

absl::Status BatchVoiceEngine::Synthesise(const HopRequest& request, absl::Span<const ControlStep> frames,
                                          Workspace& work) {
  graph_.Step(request.slot, streams_.seed(request.slot), frames, request.output.data(), memory_, work.graph);
  if (frames.front().frame_index == 0) Silence(request.output);
  return CheckFinite(*voice_, streams_.HopIndex(request.slot), request.output);
}

void BatchVoiceEngine::StepGroup(absl::Span<const HopRequest> requests, absl::Span<absl::Status> statuses,
                                 Workspace& work) {
  streams_.Analyse(requests, work.features);
  work.sounding.clear();
  for (size_t i = 0; i < requests.size(); ++i) {
    if (streams_.HopIndex(requests[i].slot) >= -1) {
      work.sounding.push_back(static_cast<int>(i));
    } else {
      Silence(requests[i].output);
    }
  }
  const int streams = static_cast<int>(work.sounding.size());
  work.controls.Begin(streams);
  for (int i = 0; i < streams; ++i) {
    const HopRequest& request = requests[work.sounding[i]];
    work.controls.SetStream(i, &decoder_state_[request.slot * decoder_.state_size()],
                            streams_.HopIndex(request.slot) < 0);
    Describe(request, i, work.controls);
  }
  work.controls.Decode();
  for (int i = 0; i < streams; ++i) {
    const HopRequest& request = requests[work.sounding[i]];
    const int64_t first = streams_.HopIndex(request.slot) * work.controls.frames_per_hop() + 1;
    statuses[work.sounding[i]] = Synthesise(request, work.controls.Frames(i, first), work);
  }
  for (const HopRequest& request : requests) streams_.Advance(request.slot);
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
