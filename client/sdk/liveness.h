// Whether the other side still lives: when to ask it for a sign of life, and when to give it up. Knows no transport and
// no thread.
#pragma once

#include "absl/time/time.h"

namespace ddsp::client {

// Silence is counted in steps from look to look, each at most one ping interval long: if this side did not run for a
// while, the other one is not to blame.
class Liveness {
 public:
  enum class Verdict { kAlive, kAsk, kDead };

  // After `ping_interval` of silence the other side is asked, again and again; after `dead_after` it is dead.
  Liveness(absl::Duration ping_interval, absl::Duration dead_after, absl::Time now);

  // Something came.
  void Heard(absl::Time now);
  Verdict Look(absl::Time now);
  // When the verdict can be another one.
  absl::Time next_look() const;
  // Of the last sign of life, or of the construction.
  absl::Time last_heard() const { return last_heard_; }

 private:
  const absl::Duration ping_interval_, dead_after_;
  absl::Time last_heard_, last_look_;
  absl::Duration silence_, asked_at_;
};

}  // namespace ddsp::client
