#include "worker/jobs/lease_timer.h"

#include <gtest/gtest.h>

namespace ddsp::worker {
namespace {

constexpr absl::Duration kLease = absl::Seconds(10), kHeartbeat = absl::Seconds(2);
const absl::Time kStart = absl::UnixEpoch();

absl::Time At(double seconds) { return kStart + absl::Seconds(seconds); }

TEST(LeaseTimer, EndsALeaseAfterTheClaimWasSent) {
  const LeaseTimer timer({kLease, kHeartbeat}, kStart);
  EXPECT_EQ(timer.next(), At(2));
  EXPECT_FALSE(timer.Over(At(9.999)));
  EXPECT_TRUE(timer.Over(At(10)));
}

// The server extends a lease when it hears the heartbeat: after it was sent, so counting from there is safe.
TEST(LeaseTimer, CountsFromWhenTheHeartbeatWasSent) {
  LeaseTimer timer({kLease, kHeartbeat}, kStart);
  timer.Answered(At(2));  // though the answer came at 5, say
  EXPECT_EQ(timer.next(), At(4));
  EXPECT_EQ(timer.end(), At(12));
}

TEST(LeaseTimer, TriesSoonerAfterAMissedHeartbeatAndStillEnds) {
  LeaseTimer timer({kLease, kHeartbeat}, kStart);
  absl::Time now = timer.next();
  int attempts = 0;
  for (; !timer.Over(now); now = timer.next()) {
    ++attempts;
    timer.Missed(now);
    EXPECT_EQ(timer.next() - now, kHeartbeat / 4);
  }
  EXPECT_EQ(attempts, 16) << "every half second from 2 to 10";
}

TEST(LeaseTimer, GivesACallTimeForAnother) {
  LeaseTimer timer({kLease, kHeartbeat}, kStart);
  EXPECT_EQ(timer.CallTimeout(At(2)), absl::Seconds(4));
  EXPECT_EQ(timer.CallTimeout(At(8)), absl::Seconds(1));
  EXPECT_EQ(timer.CallTimeout(At(10)), absl::Seconds(1)) << "never nothing";
}

}  // namespace
}  // namespace ddsp::worker
