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

  // The frame of this step: analysed from the request's audio, or what its controls say.
  FeatureFrame Analyse(const HopRequest& request);

  // t of a slot's frame in this step; negative while the stream only warms up.
  int64_t FrameIndex(int slot) const;
  uint64_t seed(int slot) const { return slots_[slot].seed; }
  // A row for each section of the request's hop.
  static int Sections(const HopRequest& request) { return static_cast<int>(request.changes.size()) + 1; }
  // Fills rows [Sections()] and features [Sections(), inputs] from the frame as the voice hears it.
  void Fill(const HopRequest& request, const FeatureFrame& frame, RowInput* rows, float* features) const;
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
  };
  enum class Feature { kF0, kLoudness, kPower };

  StreamRows(std::shared_ptr<const Voice> voice, std::unique_ptr<const FeatureExtractor> extractor, int slots);
  RowInput FillRow(const HopRequest& request, const FeatureFrame& frame, const StreamParameters& parameters,
                   float* features) const;

  std::shared_ptr<const Voice> voice_;
  std::unique_ptr<const FeatureExtractor> extractor_;
  std::vector<Feature> inputs_;  // of the decoder, in order
  PerformerProfile neutral_;
  std::vector<Slot> slots_;
};

}  // namespace ddsp::cuda
