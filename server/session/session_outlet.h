#pragma once

#include "absl/status/status.h"
#include "ddsp/v1/session.pb.h"

namespace ddsp::server {

// The writing half of the wire. Calls come from any thread, never with a lock held.
class SessionOutlet {
 public:
  virtual ~SessionOutlet() = default;
  // Not called again before the write was reported as done. `more`: another message is ready to follow at once.
  virtual void Write(v1::StreamSessionResponse message, bool more) = 0;
  // Once, and the last call: with no write under way.
  virtual void Finish(const absl::Status& status) = 0;
  // The write under way will never be read: end it; it is then reported as failed.
  virtual void GiveUp() = 0;
};

}  // namespace ddsp::server
