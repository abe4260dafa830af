#include "server/session/playback_meter.h"

#include <gtest/gtest.h>

namespace ddsp::server {
namespace {

constexpr absl::Duration kBlock = absl::Milliseconds(20);

class PlaybackMeterTest : public ::testing::Test {
 protected:
  // The next block goes out `late` after the time that keeps the pace.
  absl::Duration Deliver(absl::Duration late, absl::Duration latency) {
    return meter_.Deliver(kBlock, absl::UnixEpoch() + kBlock * blocks_++ + late, latency);
  }
  PlaybackMeter meter_;
  int blocks_ = 0;
};

TEST_F(PlaybackMeterTest, ASteadyStreamNeverRunsDry) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Deliver(absl::Milliseconds(5), absl::Milliseconds(5)), absl::ZeroDuration());
}

TEST_F(PlaybackMeterTest, JitterOfLessThanABlockIsNotHeard) {
  for (int i = 0; i < 100; ++i) {
    const absl::Duration late = absl::Milliseconds(i % 2 == 0 ? 0 : 20);
    EXPECT_EQ(Deliver(late, late), absl::ZeroDuration()) << i;
  }
}

TEST_F(PlaybackMeterTest, ALateBlockLeavesAGapOnce) {
  Deliver(absl::ZeroDuration(), absl::ZeroDuration());
  EXPECT_EQ(Deliver(absl::Milliseconds(50), absl::Milliseconds(50)), absl::Milliseconds(30));
  // The player waited, and has its block in hand again.
  EXPECT_EQ(Deliver(absl::Milliseconds(50), absl::Milliseconds(50)), absl::ZeroDuration());
}

TEST_F(PlaybackMeterTest, AClientThatPausesIsNotAnUnderrun) {
  Deliver(absl::ZeroDuration(), absl::ZeroDuration());
  EXPECT_EQ(Deliver(absl::Seconds(10), absl::Milliseconds(5)), absl::ZeroDuration());
}

TEST_F(PlaybackMeterTest, WorkAheadIsKept) {
  for (int i = 0; i < 50; ++i) meter_.Deliver(kBlock, absl::UnixEpoch(), absl::ZeroDuration());  // a second at once
  EXPECT_EQ(meter_.Deliver(kBlock, absl::UnixEpoch() + absl::Seconds(1), absl::Seconds(1)), absl::ZeroDuration());
  EXPECT_EQ(meter_.Deliver(kBlock, absl::UnixEpoch() + absl::Seconds(2), absl::Seconds(2)), absl::Milliseconds(960));
}

}  // namespace
}  // namespace ddsp::server
