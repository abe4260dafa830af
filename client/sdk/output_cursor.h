// What of a session's answer has been delivered, so that what comes again after a move is not delivered twice, and what
// is missing is noticed. Knows no transport and no thread.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "client/sdk/stream_options.h"

namespace ddsp::client {

class OutputCursor {
 public:
  // Leave of the block what has not been delivered, which then counts as delivered. Errors: DATA_LOSS for a gap.
  absl::Status Take(AudioBlock* block);
  absl::Status Take(FeatureBlock* block);

  int64_t samples() const { return samples_; }    // delivered
  int64_t repeated() const { return repeated_; }  // samples that came again

 private:
  int64_t samples_ = 0, frames_ = 0, repeated_ = 0;
};

}  // namespace ddsp::client
