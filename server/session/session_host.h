#pragma once

#include "absl/status/statusor.h"
#include "server/registry/hosted_voice.h"
#include "server/session/session_config.h"

namespace ddsp::server {

// Who lets sessions in.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  // Errors: MODEL_NOT_FOUND, SESSION_SLOTS_EXHAUSTED, SERVER_DRAINING.
  virtual absl::StatusOr<SlotLease> Admit(const SessionPlan& plan) = 0;
};

}  // namespace ddsp::server
