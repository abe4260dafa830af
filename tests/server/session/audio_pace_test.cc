#include "server/session/audio_pace.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ddsp::server {
namespace {

constexpr absl::Duration kHop = absl::Milliseconds(20);
absl::Time At(double ms) { return absl::UnixEpoch() + absl::Milliseconds(ms); }

TEST(AudioPace, AStreamOnTimeIsNeverAhead) {
  AudioPace pace(kHop);
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(pace.Take(At(20 * i), At(20 * i)).ahead);
}

TEST(AudioPace, MessagesOfSixtyMillisecondsAreNotAhead) {
  AudioPace pace(kHop);
  for (int i = 0; i < 999; ++i) EXPECT_FALSE(pace.Take(At(60 * (i / 3)), At(60 * (i / 3))).ahead) << i;
}

// A network that holds everything up for 200 ms and then delivers it.
TEST(AudioPace, CatchingUpIsNotAhead) {
  AudioPace pace(kHop);
  for (int i = 0; i < 50; ++i) pace.Take(At(20 * i), At(20 * i));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(pace.Take(At(20 * 50 + 200), At(20 * 50 + 200)).ahead) << i;
}

// It takes all at once what had come in time, a second of it.
TEST(AudioPace, WhatTheServerHeldUpIsNotAhead) {
  AudioPace pace(kHop);
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(pace.Take(At(1000), At(20 * i)).ahead) << i;
}

TEST(AudioPace, LagIsTheServersFault) {
  AudioPace in_time(kHop), held_up(kHop), burst(kHop), stalled(kHop);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(in_time.Take(At(20 * i + 3), At(20 * i)).lag, absl::Milliseconds(3));
    EXPECT_EQ(held_up.Take(At(1000), At(20 * i)).lag, At(1000) - At(20 * i));
    EXPECT_LT(burst.Take(At(1000 + 5 * i), At(1000)).lag, absl::Milliseconds(6)) << i;
    // 200 ms of silence, and then all that had been recorded.
    const absl::Time arrived = At(20 * std::max(i, 10));
    EXPECT_EQ(stalled.Take(arrived, arrived).lag, absl::ZeroDuration()) << i;
  }
}

TEST(AudioPace, ASecondAtOnceIsAheadAfterItsFirstHops) {
  AudioPace pace(kHop);
  pace.Take(At(0), At(0));
  for (int second = 1; second < 5; ++second) {
    int ahead = 0;
    for (int i = 0; i < 50; ++i) ahead += pace.Take(At(1000 * second + 0.1 * i), At(1000 * second + 0.1 * i)).ahead;
    EXPECT_NEAR(ahead, 37, 10);
  }
}

TEST(AudioPace, AWholeRecordingIsAheadFromTheStart) {
  AudioPace pace(kHop);
  int ahead = 0;
  for (int i = 0; i < 1000; ++i) ahead += pace.Take(At(i), At(i)).ahead;
  EXPECT_GT(ahead, 900);
}

}  // namespace
}  // namespace ddsp::server
