// The life of a session.
//
//   kAwaitingConfig --> kOpening --> kLive --> kFinishing --> kClosed
//          |               |           |           |
//          +---------------+-----------+-----------+-------> kFailed
//
// kOpening: a slot is being made ready. kFinishing: the input has ended, the rest is on its way. The last two are
// final.
#pragma once

#include <string_view>

namespace ddsp::server {

enum class SessionState { kAwaitingConfig, kOpening, kLive, kFinishing, kClosed, kFailed };

std::string_view NameOf(SessionState state);

class SessionMachine {
 public:
  SessionState state() const { return state_; }
  // A final state: nothing moves any more.
  bool over() const { return state_ == SessionState::kClosed || state_ == SessionState::kFailed; }
  // It has started, and there is output to come.
  bool plays() const { return state_ == SessionState::kLive || state_ == SessionState::kFinishing; }
  // Whether `to` may follow the present state.
  bool Allows(SessionState to) const;
  // Moves to `to` where that is allowed. Otherwise: stays in a final state, and fails from any other (a broken
  // invariant).
  void Transition(SessionState to);

 private:
  SessionState state_ = SessionState::kAwaitingConfig;
};

}  // namespace ddsp::server
