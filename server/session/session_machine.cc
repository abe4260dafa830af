#include "server/session/session_machine.h"

#include <cassert>

namespace ddsp::server {

std::string_view NameOf(SessionState state) {
  constexpr std::string_view kNames[] = {"awaiting config", "opening", "live", "finishing", "closed", "failed"};
  return kNames[static_cast<int>(state)];
}

bool SessionMachine::Allows(SessionState to) const {
  if (over()) return false;
  if (to == SessionState::kFailed) return true;
  return static_cast<int>(to) == static_cast<int>(state_) + 1;
}

void SessionMachine::Transition(SessionState to) {
  if (Allows(to)) {
    state_ = to;
    return;
  }
  assert(over() && "a session takes one step of its life at a time");
  if (!over()) state_ = SessionState::kFailed;
}

}  // namespace ddsp::server
