// Bounds that hold for each session.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace ddsp::server {

struct SessionLimits {
  // Audio or control data of one message. Larger: BLOCK_TOO_LARGE.
  int64_t max_block_bytes = 64 * 1024;
  // Encoded output that waits for a slow reader; beyond it the session makes no more until some was written.
  int64_t max_output_backlog_bytes = 256 * 1024;
  // Longest that output may wait for a reader who takes none: CLIENT_TOO_SLOW.
  absl::Duration output_stall_timeout = absl::Seconds(30);
  // Longest silence of a client that has not ended its input: SESSION_IDLE_TIMEOUT; a warning comes at half of it.
  absl::Duration idle_timeout = absl::Seconds(60);
  // Longest that a session stays on a version that has gone out of service, while it is in use; then it has to leave
  // with VERSION_RETIRED, after a last snapshot where it has any. Zero: until it ends by itself.
  absl::Duration version_drain_timeout;
  // Longest wait for the config.
  absl::Duration config_timeout = absl::Seconds(10);
  // Parameter changes ahead of the audio that they belong to.
  int64_t max_pending_changes = 1024;
};

}  // namespace ddsp::server
