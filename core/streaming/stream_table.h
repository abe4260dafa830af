// What an engine knows of each stream before its network runs: what was heard, how to hear it, and how far it has come.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "core/features/feature_extractor.h"
#include "core/models/performer_profile.h"
#include "core/models/voice.h"
#include "core/streaming/voice_engine.h"

namespace ddsp {

// Several threads may use it at once, for different slots.
class StreamTable {
 public:
  // The voice is valid. Errors: FAILED_PRECONDITION when it was trained on features of another extractor.
  static absl::StatusOr<StreamTable> Create(std::shared_ptr<const Voice> voice, int slots);

  // `tail` apart.
  StreamFormat format(StreamInput input) const;
  int slots() const { return static_cast<int>(slots_.size()); }
  int frames_per_hop() const { return voice_->decoder_frames_per_hop(); }
  // A profile counts whether there is one or not.
  std::vector<StatePart> state_parts() const;

  // Errors: INVALID_ARGUMENT (a profile that cannot be used, with the reason).
  absl::Status Reset(int slot, const StreamSettings& settings);

  bool resumable(int slot) const { return slots_[slot].resumable; }
  void Save(int slot, StateWriter& writer) const;
  // After a reset with the same settings. What cannot be read fails the reader.
  void Restore(int slot, StateReader& reader);

  // Room for Analyse() of so many requests.
  struct Workspace {
    FeatureWorkspace features;
    std::vector<FeatureRequest> requests;
  };
  Workspace MakeWorkspace(int max_requests) const;

  // Brings each slot its frame of this step: analysed from the request's audio, or what its controls say.
  void Analyse(absl::Span<const HopRequest> requests, Workspace& workspace);
  // After the step.
  void Advance(int slot) { ++slots_[slot].step; }

  // The hop that a slot's step gives: -1 where its first frame starts the stream, less while it only warms up.
  int64_t HopIndex(int slot) const;
  uint64_t seed(int slot) const { return slots_[slot].seed; }

  // A part of a frame of controls of which one set of parameters is in force.
  struct Section {
    int frame = 0;  // of the hop
    int end = 0;    // its last sample, counted from the frame before; 1 to the decoder's hop
    bool last = false;
    StreamParameters parameters;
  };
  // Calls visit(section) for each section of each frame that a request's hop needs, in order.
  template <class Visit>
  void ForEachSection(const HopRequest& request, Visit visit) const;
  // Writes what the decoder takes, [its inputs], for a section of the hop that ends with the slot's newest frame, as
  // the voice hears it. Returns f0 in Hz.
  float Hear(int slot, const Section& section, float* features) const;

 private:
  struct Slot {
    explicit Slot(FeatureState features) : features(std::move(features)) {}
    FeatureState features;
    StreamInput input = StreamInput::kAudio;
    bool resumable = false;
    uint64_t seed = 0;
    ProfileMap profile;
    int64_t step = 0;
    FeatureFrame previous, frame;  // the newest two
  };
  enum class Feature { kF0, kLoudness, kPower };

  StreamTable(std::shared_ptr<const Voice> voice, std::unique_ptr<const FeatureExtractor> extractor, int slots);

  std::shared_ptr<const Voice> voice_;
  std::unique_ptr<const FeatureExtractor> extractor_;
  std::vector<Feature> inputs_;  // of the decoder, in order
  PerformerProfile neutral_;
  std::vector<Slot> slots_;
};

template <class Visit>
void StreamTable::ForEachSection(const HopRequest& request, Visit visit) const {
  const int frames = voice_->decoder_frames_per_hop(), decoder_hop = voice_->decoder_hop();
  StreamParameters parameters = request.parameters;
  auto change = request.changes.begin();
  for (int frame = 0; frame < frames; ++frame) {
    for (; change != request.changes.end() && change->offset <= (frame + 1) * decoder_hop; ++change) {
      visit(Section{frame, change->offset - frame * decoder_hop, false, parameters});
      parameters = change->parameters;
    }
    visit(Section{frame, decoder_hop, true, parameters});
  }
}

// What every engine does with a hop.
void Silence(absl::Span<float> output);
// Output that is not finite becomes silence and INTERNAL, naming the voice and the hop.
absl::Status CheckFinite(const Voice& voice, int64_t hop, absl::Span<float> output);

}  // namespace ddsp
