#include "client/sdk/retry.h"

#include <thread>

#include "absl/strings/cord.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"

namespace ddsp::client {
namespace {

const absl::Status kDown = absl::UnavailableError("down");

TEST(Backoff, DoublesUpToTheLongestPause) {
  Backoff backoff({.first_pause = absl::Milliseconds(100), .longest_pause = absl::Seconds(1)}, 1);
  for (const double expected : {0.1, 0.2, 0.4, 0.8, 1.0, 1.0}) {
    const auto pause = backoff.Next(kDown, absl::UnixEpoch(), true);
    ASSERT_TRUE(pause.has_value());
    EXPECT_NEAR(absl::ToDoubleSeconds(*pause), expected, 0.2 * expected);
    EXPECT_LE(*pause, absl::Seconds(1));
  }
}

TEST(Backoff, GivesUpAtTheLimitOfOneSeries) {
  Backoff backoff({.give_up_after = absl::Seconds(10)}, 1);
  SimClock clock;
  EXPECT_TRUE(backoff.Next(kDown, clock.Now(), true).has_value());
  clock.Advance(absl::Seconds(9));
  EXPECT_TRUE(backoff.Next(kDown, clock.Now(), true).has_value());
  clock.Advance(absl::Seconds(1));
  EXPECT_FALSE(backoff.Next(kDown, clock.Now(), true).has_value());
  backoff.Reset();
  EXPECT_TRUE(backoff.Next(kDown, clock.Now(), true).has_value()) << "another series";
}

TEST(Backoff, GivesUpEarlierOnAServerThatNeverAnswered) {
  Backoff backoff({.give_up_after = absl::Minutes(5), .give_up_unmet_after = absl::Seconds(5)}, 1);
  SimClock clock;
  EXPECT_TRUE(backoff.Next(kDown, clock.Now(), false).has_value());
  clock.Advance(absl::Seconds(5));
  EXPECT_FALSE(backoff.Next(kDown, clock.Now(), false).has_value());
}

TEST(Backoff, WaitsAsLongAsTheServerAsks) {
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(7);
  absl::Status error = kDown;
  error.SetPayload("type.googleapis.com/google.rpc.RetryInfo", absl::Cord(info.SerializeAsString()));
  Backoff backoff({.longest_pause = absl::Seconds(1)}, 1);
  EXPECT_EQ(backoff.Next(error, absl::UnixEpoch(), true), absl::Seconds(7));
}

TEST(Backoff, ClientsThatFailTogetherDoNotComeBackTogether) {
  Backoff one({}, 1), other({}, 2);
  EXPECT_NE(one.Next(kDown, absl::UnixEpoch(), true), other.Next(kDown, absl::UnixEpoch(), true));
}

// Theorem: who cancels wakes who sleeps; a missing wake would let this test run for ever.
TEST(Cancellation, EndsSleep) {
  Cancellation cancellation;
  std::thread sleeper([&] { cancellation.SleepFor(absl::Hours(1000)); });
  EXPECT_TRUE(cancellation.status().ok());
  cancellation.Cancel();
  sleeper.join();
  EXPECT_TRUE(absl::IsCancelled(cancellation.status()));
  cancellation.SleepFor(absl::Hours(1000));
}

}  // namespace
}  // namespace ddsp::client
