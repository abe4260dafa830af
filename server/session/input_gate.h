// The order of what a client sends: sequence numbers and sample times of blocks. Not thread-safe.
#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace ddsp::server {

struct GatePosition {
  uint64_t next_audio = 0, next_control = 0;  // sequence numbers
  int64_t samples = 0;                        // accepted so far, decoded Opus pre-skip included
  int64_t last_change = 0;                    // sample of the newest change of parameters
};

class InputGate {
 public:
  explicit InputGate(const GatePosition& at = {}) : at_(at) {}

  // The block is the next one. Errors: BLOCK_SEQUENCE_GAP with what was expected and what came.
  absl::Status CheckAudio(uint64_t seq, uint64_t start_sample) const;
  absl::Status CheckControl(uint64_t seq) const;
  // Frames follow each other without a gap.
  absl::Status CheckFrames(uint64_t start_sample) const;
  // Parameters change at or after `earliest`, in rising order. Errors: BLOCK_SEQUENCE_GAP.
  absl::Status CheckChange(uint64_t start_sample, int64_t earliest) const;

  // The block that was checked has been accepted, with so many samples.
  void PassAudio(int64_t samples);
  void PassControl(int64_t samples);
  void PassChange(int64_t sample) { at_.last_change = sample; }

  const GatePosition& position() const { return at_; }

 private:
  GatePosition at_;
};

}  // namespace ddsp::server
