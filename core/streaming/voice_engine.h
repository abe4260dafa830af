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
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "core/features/feature_extractor.h"
#include "core/models/performer_profile.h"

namespace ddsp {

// How a stream passes an engine. All counts are samples at `sample_rate`.
struct StreamFormat {
  int sample_rate = 16000;  // Hz
  int hop_size = 320;       // samples that a step takes and gives
  int preroll = 0;          // zeros before the stream's first sample, so that every step takes exactly a hop
  int warmup_hops = 0;      // first steps of a stream, whose output belongs to no sample and is dropped
  int64_t tail = 0;         // samples that ring on after the input has ended

  // The last sample of a hop is known this many samples after its first one was due.
  int64_t latency() const { return int64_t{warmup_hops + 1} * hop_size - preroll; }
};

enum class StreamInput { kAudio, kControls };

// Fixed for the life of a stream.
struct StreamSettings {
  StreamInput input = StreamInput::kAudio;
  uint64_t seed = 0;                        // of the noise
  std::optional<PerformerProfile> profile;  // absent: the voice's neutral profile, which changes nothing
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
  absl::Span<const float> audio;              // [hop_size], or empty in a stream that is driven by controls
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

  virtual std::unique_ptr<StepWorkspace> MakeWorkspace() const = 0;

  // Steps each requested slot once; a slot appears at most once. A request fails alone: its status is in the result,
  // its output is silence and its slot must be reset (INTERNAL: the model made NaN or infinity). Returns
  // workspace.statuses. `workspace` was made by this engine.
  virtual absl::Span<const absl::Status> Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) = 0;
};

}  // namespace ddsp
