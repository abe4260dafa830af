#include "server/scheduler/shedder.h"

#include <gtest/gtest.h>

namespace ddsp::server {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5), kLook = absl::Seconds(1);
const absl::Time kStart = absl::UnixEpoch();

Headroom Late(double share, double demand, absl::Duration lag = absl::Seconds(1)) {
  return {.demand = demand, .late = share, .lag = lag};
}

// How many it sends away in `seconds`, which all look like this.
int ShedIn(int seconds, const Headroom& headroom, int streams = 100) {
  Shedder shedder(kPatience);
  int sent = 0;
  for (int i = 0; i < seconds; ++i) sent += shedder.Look(headroom, streams, kStart + i * kLook);
  return sent;
}

TEST(Shedder, LeavesThemWhereTheyAreHeard) {
  EXPECT_EQ(ShedIn(60, Late(0, 2)), 0);
  EXPECT_EQ(ShedIn(60, Late(0.19, 2)), 0);
}

TEST(Shedder, LeavesThemWhereItWouldNotHelp) {
  EXPECT_EQ(ShedIn(60, Late(1, 0.69)), 0);
  EXPECT_GT(ShedIn(60, {.busy = 0.71, .late = 1}), 0);
  EXPECT_GT(ShedIn(60, {.cpu = 0.71, .late = 1}), 0);
}

TEST(Shedder, WaitsBeforeItBelievesAndBetween) {
  EXPECT_EQ(ShedIn(5, Late(0.5, 1)), 0);
  EXPECT_EQ(ShedIn(6, Late(0.5, 1)), 15);
  EXPECT_EQ(ShedIn(11, Late(0.5, 1)), 15);
  EXPECT_EQ(ShedIn(12, Late(0.5, 1)), 30);
}

TEST(Shedder, ForgetsWhatHasPassed) {
  Shedder shedder(kPatience);
  for (int i = 0; i < 60; ++i) EXPECT_EQ(shedder.Look(Late(i % 5 == 4 ? 0 : 1, 2), 100, kStart + i * kLook), 0) << i;
}

// So many that the others need 85 % of what there is; at least a twentieth, at most three tenths.
TEST(Shedder, SendsAwayWhatIsTooMuch) {
  EXPECT_EQ(ShedIn(6, Late(1, 1)), 15);
  EXPECT_EQ(ShedIn(6, Late(1, 1.1)), 23);
  EXPECT_EQ(ShedIn(6, Late(1, 3)), 30);
  EXPECT_EQ(ShedIn(6, Late(1, 0.8)), 5);
  EXPECT_EQ(ShedIn(6, Late(1, 0.8), 7), 1) << "at least one";
}

TEST(Shedder, NeverSendsAllAway) {
  EXPECT_EQ(ShedIn(60, Late(1, 3), 1), 0);
  EXPECT_EQ(ShedIn(60, Late(1, 3), 0), 0);
  EXPECT_EQ(ShedIn(6, Late(1, 3), 2), 1);
}

TEST(Shedder, LeavesThemWhoCatchUp) {
  const auto shed = [](double slower_each_second) {
    Shedder shedder(kPatience);
    int sent = 0;
    double lag = 10;
    for (int i = 0; i < 12; ++i, lag *= slower_each_second) {
      sent += shedder.Look(Late(1, 1, absl::Seconds(lag)), 100, kStart + i * kLook);
    }
    return sent;
  };
  EXPECT_EQ(shed(0.95), 0) << "a quarter less in five seconds";
  EXPECT_EQ(shed(0.99), 30);
}

TEST(Shedder, CanBeTurnedOff) {
  Shedder shedder(absl::ZeroDuration());
  for (int i = 0; i < 60; ++i) EXPECT_EQ(shedder.Look(Late(1, 3), 100, kStart + i * kLook), 0);
}

}  // namespace
}  // namespace ddsp::server
