#include "server/session/session_machine.h"

#include <gtest/gtest.h>

namespace ddsp::server {
namespace {

using enum SessionState;

TEST(SessionMachine, LivesItsLifeInOrder) {
  SessionMachine machine;
  for (const SessionState next : {kOpening, kLive, kFinishing, kClosed}) {
    EXPECT_TRUE(machine.Allows(next)) << NameOf(next);
    machine.Transition(next);
    EXPECT_EQ(machine.state(), next);
  }
  EXPECT_TRUE(machine.over());
}

TEST(SessionMachine, FailsFromEveryStateThatIsNotFinal) {
  for (int steps = 0; steps < 4; ++steps) {
    SessionMachine machine;
    for (int i = 1; i <= steps; ++i) machine.Transition(static_cast<SessionState>(i));
    machine.Transition(kFailed);
    EXPECT_EQ(machine.state(), kFailed) << "after " << steps << " steps";
  }
}

TEST(SessionMachine, FinalStatesStay) {
  SessionMachine machine;
  machine.Transition(kFailed);
  for (const SessionState next : {kAwaitingConfig, kOpening, kLive, kFinishing, kClosed, kFailed}) {
    EXPECT_FALSE(machine.Allows(next));
    machine.Transition(next);
    EXPECT_EQ(machine.state(), kFailed);
  }
}

TEST(SessionMachine, AllowsNoSkippingAndNoGoingBack) {
  SessionMachine machine;
  machine.Transition(kOpening);
  EXPECT_FALSE(machine.Allows(kFinishing));
  EXPECT_FALSE(machine.Allows(kClosed));
  EXPECT_FALSE(machine.Allows(kAwaitingConfig));
  EXPECT_FALSE(machine.Allows(kOpening));
}

}  // namespace
}  // namespace ddsp::server
