// What of a voice's streams stays on the host: features, profile, and how far each has come.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "core/cuda/step_input.h"
#include "core/features/feature_extractor.h"
#include "core/models/performer_profile.h"
#include "core/models/voice.h"
#include "core/streaming/voice_engine.h"

namespace ddsp::cuda {

// Several threads may use it at once, for different slots.
class StreamRows {
 public:
  // The voice is valid. Errors: FAILED_PRECONDITION when it was trained on features of another extractor.
  static absl::StatusOr<StreamRows> Create(std::shared_ptr<const Voice> voice, int slots);

  // `tail` apart.
  StreamFormat format(StreamInput input) const;
  int slots() const { return static_cast<int>(slots_.size()); }
  int64_t bytes_per_slot() const { return sizeof(Slot); }

  // Errors: INVALID_ARGUMENT (a profile that cannot be used, with the reason).
  absl::Status Reset(int slot, const StreamSettings& settings);

  // Room for Analyse() of so many requests, one for each thread.
  struct Workspace {
    FeatureWorkspace features;
    std::vector<FeatureRequest> requests;
  };
  Workspace MakeWorkspace(int max_requests) const;

  // Takes the frames of this step: analysed from the requests' audio, or what their controls say.
  void Analyse(absl::Span<const HopRequest> requests, Workspace& workspace);

  // The hop that a slot's step gives: -1 where its first frame starts the stream, less while it only warms up.
  int64_t HopIndex(int slot) const;
  // Rows that a request needs in each frame of controls: one for the frame, one for each change on the way to it.
  int Rows(const HopRequest& request) const;
  // Fills a request's place in the frames of controls of the step, rows from `first_row` on as the voice hears them.
  // To be called for all requests but those whose streams only warm up.
  void Fill(const HopRequest& request, int first_row, int index, const StepInput& input) const;
  // After the step.
  void Advance(int slot) { ++slots_[slot].step; }

 private:
  struct Slot {
    explicit Slot(FeatureState features) : features(std::move(features)) {}
    FeatureState features;
    StreamInput input = StreamInput::kAudio;
    uint64_t seed = 0;
    ProfileMap profile;
    int64_t step = 0;
    FeatureFrame previous, frame;  // the newest two
  };
  enum class Feature { kF0, kLoudness, kPower };

  static FeatureFrame FrameOf(const ControlFrame& control);
  StreamRows(std::shared_ptr<const Voice> voice, std::unique_ptr<const FeatureExtractor> extractor, int slots);
  // Calls visit(frame, end, parameters) for each section of each frame of controls, in order; the last section of a
  // frame ends with it.
  template <class Visit>
  void ForEachSection(const HopRequest& request, Visit visit) const;
  // `row` counts from 0 at the input's first.
  void FillRow(const FeatureFrame& frame, const StreamParameters& parameters, const Slot& slot, int row,
               const FrameInput& input) const;

  std::shared_ptr<const Voice> voice_;
  std::unique_ptr<const FeatureExtractor> extractor_;
  std::vector<Feature> inputs_;  // of the decoder, in order
  PerformerProfile neutral_;
  std::vector<Slot> slots_;
};

}  // namespace ddsp::cuda
