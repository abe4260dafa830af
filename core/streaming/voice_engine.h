// Steps a voice hop by hop for many streams at once.
//
// Streams live in numbered slots. A step takes the next hop of input of each requested slot and gives its next hop of
// output; a slot's output depends on what that slot was fed since its reset, never on its neighbours. An engine owns no
// thread and no lock: several threads may call it at once, each with a workspace of its own and for slots that no other
// thread has in hand (device workers, or the caller of an in-process stream).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/features/feature_extractor.h"
#include "core/models/performer_profile.h"

namespace ddsp {

// How a stream passes an engine: a step takes a hop of input and gives a hop of output, which last equally long. The
// rates of the two differ where a voice plays at another rate than its features are analysed at.
struct StreamFormat {
  int sample_rate = 16000;       // of the output, Hz
  int hop_size = 320;            // output samples that a step gives
  int preroll = 0;               // zeros before the input's first sample, so that every step takes exactly a hop
  int warmup_hops = 0;           // first steps of a stream, whose output belongs to no sample and is dropped
  int64_t tail = 0;              // output samples that ring on after the input has ended
  int input_rate = sample_rate;  // of the input, Hz
  int input_hop = hop_size;      // input samples that a step takes

  // The last sample of a hop is known so many input samples after its first one was due,
  int64_t lookahead() const { return int64_t{warmup_hops + 1} * input_hop - preroll; }
  // which is so many output samples, rounded up.
  int64_t latency() const { return (lookahead() * sample_rate + input_rate - 1) / input_rate; }
};

enum class StreamInput { kAudio, kControls };

// Fixed for the life of a stream.
struct StreamSettings {
  StreamInput input = StreamInput::kAudio;
  uint64_t seed = 0;                        // of the noise
  std::optional<PerformerProfile> profile;  // absent: the voice's neutral profile, which changes nothing
  bool resumable = false;                   // Save() may be asked for, which takes some more memory
};

// What may change while a stream runs.
struct StreamParameters {
  double pitch_shift_semitones = 0;
  double loudness_shift_db = 0;
};

// `parameters` are in force from sample `offset` of the hop that the step gives, 0 < offset <= hop_size. The last
// change also governs the frame at the end of that hop, and all later ones.
struct ParameterChange {
  int offset = 0;
  StreamParameters parameters;
};

// A frame of controls of a stream without audio.
struct ControlFrame {
  float f0_hz = 0;
  float power_db = 0;
};

struct HopRequest {
  int slot = 0;
  absl::Span<const float> audio;              // [input_hop], or empty in a stream that is driven by controls
  ControlFrame control;                       // of this step's frame, in a stream that is driven by controls
  StreamParameters parameters;                // in force at the start of the hop that the step gives
  absl::Span<const ParameterChange> changes;  // rising offsets; usually none
  absl::Span<float> output;                   // [hop_size]
  FeatureFrame* features = nullptr;           // out: the frame that the step analysed or was given; may be null
};

// Buffers of a step, kept from one to the next: what a thread brings when it steps an engine. Each kind of engine has
// its own kind.
class StepWorkspace {
 public:
  virtual ~StepWorkspace() = default;

  std::vector<absl::Status> statuses;  // of the last step's requests, in their order
};

// What a slot's memory is for.
struct StatePart {
  std::string name;
  int64_t bytes = 0;
};

class VoiceEngine {
 public:
  virtual ~VoiceEngine() = default;

  virtual StreamFormat format(StreamInput input) const = 0;
  virtual int slots() const = 0;
  virtual int64_t bytes_per_slot() const = 0;

  // Makes the slot as new. Errors: INVALID_ARGUMENT (a profile that cannot be used, with the reason).
  virtual absl::Status Reset(int slot, const StreamSettings& settings) = 0;

  // All that a slot remembers between two steps; the slot was reset with settings that are resumable. Errors:
  // UNIMPLEMENTED (an engine that cannot).
  virtual absl::StatusOr<std::string> Save(int slot);
  // Makes the slot what it was when `state` was saved: by an engine of the same kind and voice, whatever its slots and
  // batches, from a stream with the same settings. What follows is the same to the bit where the kernels are. Errors:
  // those of Reset(); DATA_LOSS (another voice's state, or none), after which the slot must be reset; UNIMPLEMENTED.
  virtual absl::Status Restore(int slot, const StreamSettings& settings, std::string_view state);

  virtual std::unique_ptr<StepWorkspace> MakeWorkspace() const = 0;

  // Steps each requested slot once; a slot appears at most once. A request fails alone: its status is in the result,
  // its output is silence and its slot must be reset (INTERNAL: the model made NaN or infinity; UNAVAILABLE: the
  // device failed). Returns workspace.statuses. `workspace` was made by this engine.
  virtual absl::Span<const absl::Status> Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) = 0;
};

inline absl::StatusOr<std::string> VoiceEngine::Save(int) {
  return absl::UnimplementedError("streams of this engine cannot be saved");
}

inline absl::Status VoiceEngine::Restore(int, const StreamSettings&, std::string_view) {
  return absl::UnimplementedError("streams of this engine cannot be saved");
}

}  // namespace ddsp
