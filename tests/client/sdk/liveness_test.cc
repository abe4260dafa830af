#include "client/sdk/liveness.h"

#include "core/base/clock.h"
#include "gtest/gtest.h"

namespace ddsp::client {
namespace {

using Verdict = Liveness::Verdict;

class LivenessTest : public ::testing::Test {
 protected:
  Verdict LookAfter(double seconds) {
    clock_.Advance(absl::Seconds(seconds));
    return liveness_.Look(clock_.Now());
  }
  SimClock clock_;
  Liveness liveness_{absl::Milliseconds(500), absl::Milliseconds(1500), clock_.Now()};
};

TEST_F(LivenessTest, AsksTwiceAndThenGivesUp) {
  EXPECT_EQ(LookAfter(0.4), Verdict::kAlive);
  EXPECT_EQ(LookAfter(0.1), Verdict::kAsk);
  EXPECT_EQ(LookAfter(0.1), Verdict::kAlive) << "one question is enough for a while";
  EXPECT_EQ(LookAfter(0.4), Verdict::kAsk);
  EXPECT_EQ(LookAfter(0.49), Verdict::kAlive);
  EXPECT_EQ(LookAfter(0.01), Verdict::kDead);
}

TEST_F(LivenessTest, AnAnswerBeginsAnew) {
  LookAfter(0.5);
  LookAfter(0.5);
  liveness_.Heard(clock_.Now());
  EXPECT_EQ(LookAfter(0.499), Verdict::kAlive);
  EXPECT_EQ(LookAfter(0.001), Verdict::kAsk);
}

// This side was stopped for a minute: what came meanwhile is not read yet.
TEST_F(LivenessTest, APauseOfThisSideIsNotSilenceOfTheOther) {
  EXPECT_EQ(LookAfter(60), Verdict::kAsk);
  EXPECT_EQ(LookAfter(60), Verdict::kAsk);
  EXPECT_EQ(LookAfter(60), Verdict::kDead);
}

// Whoever looks when told to finds a dead server exactly in time.
TEST_F(LivenessTest, KnowsWhenToLookAgain) {
  int asked = 0;
  const absl::Time begin = clock_.Now();
  for (Verdict verdict = Verdict::kAlive; verdict != Verdict::kDead;) {
    verdict = LookAfter(absl::ToDoubleSeconds(liveness_.next_look() - clock_.Now()));
    asked += verdict == Verdict::kAsk;
  }
  EXPECT_EQ(asked, 2);
  EXPECT_NEAR(absl::ToDoubleSeconds(clock_.Now() - begin), 1.5, 1e-6);
  EXPECT_EQ(liveness_.last_heard(), begin);
}

}  // namespace
}  // namespace ddsp::client
