#include "server/session/arrival_log.h"

#include <gtest/gtest.h>

namespace ddsp::server {
namespace {

absl::Time At(double ms) { return absl::UnixEpoch() + absl::Milliseconds(ms); }

TEST(ArrivalLog, SamplesCameWithTheMessageThatHeldThem) {
  ArrivalLog log;
  log.Came(320, At(0));
  log.Came(640, At(20));
  log.Came(960, At(41));
  EXPECT_EQ(log.Of(1), At(0));
  EXPECT_EQ(log.Of(320), At(0));
  EXPECT_EQ(log.Of(321), At(20));
  EXPECT_EQ(log.Of(960), At(41));
}

// The tail of a stream is due when its end is known.
TEST(ArrivalLog, MoreThanHasComeIsAsOldAsTheNewest) {
  ArrivalLog log;
  log.Came(320, At(0));
  log.Came(320, At(500));
  EXPECT_EQ(log.Of(320), At(0));
  EXPECT_EQ(log.Of(321), At(500));
}

TEST(ArrivalLog, ForgetsWhatNobodyAsksFor) {
  ArrivalLog log;
  for (int i = 1; i <= 100; ++i) log.Came(10 * i, At(20 * i));
  log.Forget(501);
  EXPECT_EQ(log.Of(505), At(20 * 51));
  EXPECT_EQ(log.Of(10), At(20 * 51)) << "the oldest that is known";
  log.Forget(100000);
  EXPECT_EQ(log.Of(100000), At(2000));
}

TEST(ArrivalLog, SingleSamplesAreTakenTogether) {
  ArrivalLog log;
  for (int i = 1; i <= 48; ++i) log.Came(i, At(i / 48.0));
  EXPECT_EQ(log.Of(47), At(1 / 48.0)) << "within a millisecond";
  log.Came(49, At(2));
  EXPECT_EQ(log.Of(49), At(2));
}

}  // namespace
}  // namespace ddsp::server
