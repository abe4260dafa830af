// The engine of a voice: features, decoder and graph, hop by hop, for all streams of the voice together.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "core/models/voice.h"
#include "core/streaming/decoder_step.h"
#include "core/streaming/frame_layout.h"
#include "core/streaming/hop_controls.h"
#include "core/streaming/stage_graph.h"
#include "core/streaming/stream_table.h"
#include "core/streaming/voice_engine.h"

namespace ddsp {

class BatchVoiceEngine : public VoiceEngine {
 public:
  // The voice is valid. Errors: those of MakeStreamStage and of StreamTable.
  static absl::StatusOr<std::unique_ptr<BatchVoiceEngine>> Create(std::shared_ptr<const Voice> voice, int slots);

  StreamFormat format(StreamInput input) const override;
  int slots() const override { return streams_.slots(); }
  int64_t bytes_per_slot() const override;
  // What bytes_per_slot() is made of: the heap's part included, a profile's counted whether there is one or not.
  std::vector<StatePart> state_parts() const;
  absl::Status Reset(int slot, const StreamSettings& settings) override;
  absl::StatusOr<std::string> Save(int slot) override;
  absl::Status Restore(int slot, const StreamSettings& settings, std::string_view state) override;
  std::unique_ptr<StepWorkspace> MakeWorkspace() const override;
  absl::Span<const absl::Status> Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) override;

 private:
  struct Workspace;

  BatchVoiceEngine(std::shared_ptr<const Voice> voice, StreamTable streams, StageGraph graph);
  // Steps up to HopControls::kMaxStreams requests; their statuses are OK before.
  void StepGroup(absl::Span<const HopRequest> requests, absl::Span<absl::Status> statuses, Workspace& work);
  // Fills the frames of the hop that a request's step gives.
  void Describe(const HopRequest& request, int stream, HopControls& controls) const;
  absl::Status Synthesise(const HopRequest& request, absl::Span<const ControlStep> frames, Workspace& work);

  const std::shared_ptr<const Voice> voice_;
  const FrameLayout layout_;
  const DecoderStep decoder_;
  const StageGraph graph_;

  // Everything of a stream that evolves.
  StreamTable streams_;
  std::vector<float> decoder_state_;  // [slots, units]
  StageGraph::Memory memory_;         // of all slots
};

}  // namespace ddsp
