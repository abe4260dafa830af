// The engine of a voice: features, decoder and graph, hop by hop, for all streams of the voice together.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "core/features/feature_extractor.h"
#include "core/models/performer_profile.h"
#include "core/models/voice.h"
#include "core/streaming/decoder_step.h"
#include "core/streaming/frame_layout.h"
#include "core/streaming/hop_controls.h"
#include "core/streaming/stage_graph.h"
#include "core/streaming/voice_engine.h"

namespace ddsp {

class BatchVoiceEngine : public VoiceEngine {
 public:
  // The voice is valid. Errors: those of MakeStreamStage, and FAILED_PRECONDITION when the voice was trained on
  // features of another extractor.
  static absl::StatusOr<std::unique_ptr<BatchVoiceEngine>> Create(std::shared_ptr<const Voice> voice, int slots);

  StreamFormat format(StreamInput input) const override;
  int slots() const override { return static_cast<int>(slots_.size()); }
  int64_t bytes_per_slot() const override;
  // What bytes_per_slot() is made of: the heap's part included, a profile's counted whether there is one or not.
  std::vector<StatePart> state_parts() const;
  absl::Status Reset(int slot, const StreamSettings& settings) override;
  std::unique_ptr<StepWorkspace> MakeWorkspace() const override;
  absl::Span<const absl::Status> Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) override;

 private:
  // Everything of one stream that evolves, but for the decoder's state and the stages' memory, which lie in arrays.
  struct Slot {
    explicit Slot(FeatureState features) : features(std::move(features)) {}
    FeatureState features;
    StreamInput input = StreamInput::kAudio;
    uint64_t seed = 0;
    ProfileMap profile;
    int64_t step = 0;
    FeatureFrame frame;  // the newest one
  };
  struct Workspace;

  BatchVoiceEngine(std::shared_ptr<const Voice> voice, std::unique_ptr<const FeatureExtractor> extractor,
                   StageGraph graph, int slots);
  int64_t FrameOf(const Slot& slot) const;
  // Brings each slot its newest frame: of its audio, or the one given.
  void Analyse(absl::Span<const HopRequest> requests, Workspace& work);
  // Steps up to HopControls::kMaxStreams requests; their statuses are OK before.
  void StepGroup(absl::Span<const HopRequest> requests, absl::Span<absl::Status> statuses, Workspace& work);
  // Fills the frames of the hop that ends with the slot's newest frame, `previous` being the one before.
  void Describe(const HopRequest& request, const FeatureFrame& previous, int stream, HopControls& controls) const;
  void Describe(const FeatureFrame& frame, const StreamParameters& parameters, const ProfileMap& profile,
                const HopControls::Heard& heard) const;
  absl::Status Synthesise(const HopRequest& request, absl::Span<const ControlStep> frames, Workspace& work);

  const std::shared_ptr<const Voice> voice_;
  const std::unique_ptr<const FeatureExtractor> extractor_;
  const FrameLayout layout_;
  const DecoderStep decoder_;
  const StageGraph graph_;
  const PerformerProfile neutral_;

  std::vector<Slot> slots_;
  std::vector<float> decoder_state_;  // [slots, units]
  StageGraph::Memory memory_;         // of all slots
};

}  // namespace ddsp
