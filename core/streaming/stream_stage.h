// The streaming form of a processor, one slot at a time: effects hop by hop, synthesisers from one frame of controls to
// the next, which is a hop or an even part of it.
//
// A stage is immutable and shared by all slots; what evolves is in a StageMemory that the engine keeps for each slot.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/base/state_bytes.h"
#include "core/models/voice.h"
#include "core/streaming/frame_layout.h"

namespace ddsp {

// All zero at the start of a stream.
struct StageMemory {
  double phase = 0;           // cycles, [0, 1)
  absl::Span<float> floats;   // [memory_size()]
  absl::Span<float> history;  // [history_size()], or empty where the stream cannot be saved
};

// From the end of the section before up to sample `end` after a frame, the frame that follows it is `frame`. One
// section that spans the way, except where parameters change on it.
struct FrameSection {
  int end = 0;
  const float* frame = nullptr;  // see FrameLayout
};

// Frame t of a stream's controls and the way to it from frame t - 1.
struct ControlStep {
  int64_t frame_index = 0;                  // t
  absl::Span<const FrameSection> sections;  // from frame t - 1 on; the last one's frame is frame t
};

struct StageStep {
  uint64_t seed = 0;
  ControlStep control;                     // of a synthesiser: it gives the samples between the two frames
  absl::Span<const float* const> signals;  // of an effect: [hop_size] each, in the order of the node's signal inputs
  float* output = nullptr;                 // [hop_size] of an effect, [decoder_hop] of a synthesiser
  float* scratch = nullptr;                // [scratch_size()]
};

class StreamStage {
 public:
  virtual ~StreamStage() = default;
  virtual int64_t memory_size() const { return 0; }   // floats a slot
  virtual int64_t scratch_size() const { return 0; }  // floats, shared by all
  virtual int64_t tail() const { return 0; }          // samples that ring on after the input
  // Frame 0 starts a stream and gives no samples: synthesisers take note of it, effects are not called.
  virtual bool is_effect() const = 0;
  virtual void Step(const StageStep& step, StageMemory& memory) const = 0;

  // A stage that can tell its memory in fewer bytes keeps here what it is told by. Floats a slot.
  virtual int64_t history_size() const { return 0; }
  // What a slot remembers; `memory` has a history. Restore() is given memory as at the start of a stream. What cannot
  // be read fails the reader.
  virtual void Save(const StageMemory& memory, StateWriter& writer) const;
  virtual void Restore(StateReader& reader, StageMemory& memory) const;
};

// What a node of the graph is built from.
struct StageContext {
  const Voice& voice;
  const v1::GraphSpec::Node& node;
  const FrameLayout& layout;
};

// Errors: INVALID_ARGUMENT that names the node: unknown type, wrong inputs, a type that cannot stream.
absl::StatusOr<std::unique_ptr<StreamStage>> MakeStreamStage(const StageContext& context);

// One for each file of a stage.
absl::StatusOr<std::unique_ptr<StreamStage>> MakeHarmonicStage(const StageContext& context);
absl::StatusOr<std::unique_ptr<StreamStage>> MakeFilteredNoiseStage(const StageContext& context);
absl::StatusOr<std::unique_ptr<StreamStage>> MakeReverbStage(const StageContext& context);
absl::StatusOr<std::unique_ptr<StreamStage>> MakeAddStage(const StageContext& context);
absl::StatusOr<std::unique_ptr<StreamStage>> MakeCropStage(const StageContext& context);

}  // namespace ddsp
