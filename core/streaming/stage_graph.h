// A voice's processor graph, compiled to stages in execution order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/zeroed_array.h"
#include "core/models/voice.h"
#include "core/streaming/stream_stage.h"
#include "core/streaming/voice_engine.h"

namespace ddsp {

class StageGraph {
 public:
  // State of all slots: what each stage keeps, slot after slot.
  struct Memory {
    std::vector<double> phases;                 // [slots, nodes]
    ZeroedArray<float> floats;                  // [slots, memory_size]
    std::vector<std::vector<float>> histories;  // [slots][history_size], or empty
  };
  struct Workspace {
    std::vector<float> signals;  // [nodes, hop]
    std::vector<float> scratch;
    std::vector<const float*> inputs;
  };

  // Errors: INVALID_ARGUMENT that names the node.
  static absl::StatusOr<StageGraph> Compile(const Voice& voice, const FrameLayout& layout);

  int64_t tail() const { return tail_; }
  // Memory of a slot, node by node.
  std::vector<StatePart> state_parts() const;
  Memory MakeMemory(int slots) const;
  Workspace MakeWorkspace() const;
  void Reset(int slot, Memory& memory) const;
  // After a reset: the slot may be saved.
  void KeepHistory(int slot, Memory& memory) const;
  void Save(int slot, Memory& memory, StateWriter& writer) const;
  // The slot is as new, with a history.
  void Restore(int slot, StateReader& reader, Memory& memory) const;

  // Runs the stages for one slot from frame to frame of its controls: those of a hop, of which it writes the samples to
  // `output`, or frame 0 alone.
  void Step(int slot, uint64_t seed, absl::Span<const ControlStep> frames, float* output, Memory& memory,
            Workspace& workspace) const;

 private:
  struct Node {
    std::string name;
    std::unique_ptr<StreamStage> stage;
    std::vector<int> signals;                     // nodes that feed it
    int64_t memory_begin = 0, history_begin = 0;  // floats
  };
  StageMemory View(int slot, size_t node, Memory& memory) const;

  std::vector<Node> nodes_;
  int hop_size_ = 0, decoder_hop_ = 0;
  int64_t memory_size_ = 0, history_size_ = 0, scratch_size_ = 0, tail_ = 0;
};

}  // namespace ddsp
