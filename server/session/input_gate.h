// The order of what a client sends: sequence numbers and sample times of blocks. Not thread-safe.
#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace ddsp::server {

class InputGate {
 public:
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
  void PassChange(int64_t sample) { last_change_ = sample; }

  // Samples accepted so far, decoded Opus pre-skip included.
  int64_t position() const { return position_; }

 private:
  uint64_t next_audio_ = 0, next_control_ = 0;
  int64_t position_ = 0;
  int64_t last_change_ = 0;
};

}  // namespace ddsp::server
