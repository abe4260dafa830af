#include "server/logs/rate_limit.h"

#include <gtest/gtest.h>

namespace ddsp::server {
namespace {

TEST(RateLimit, LetsABurstThroughThenSoManyASecond) {
  SimClock clock;
  RateLimit limit({.per_second = 2, .burst = 3}, clock);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.Take("full"), 0);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(limit.Take("full"), std::nullopt);
  clock.Advance(absl::Milliseconds(500));
  EXPECT_EQ(limit.Take("full"), 7);
  EXPECT_EQ(limit.Take("full"), std::nullopt);
}

TEST(RateLimit, KindsDoNotTakeFromEachOther) {
  SimClock clock;
  RateLimit limit({.per_second = 1, .burst = 1}, clock);
  EXPECT_EQ(limit.Take("full"), 0);
  EXPECT_EQ(limit.Take("full"), std::nullopt);
  EXPECT_EQ(limit.Take("unknown model"), 0);
}

TEST(RateLimit, SavesNoMoreThanABurst) {
  SimClock clock;
  RateLimit limit({.per_second = 10, .burst = 2}, clock);
  EXPECT_EQ(limit.Take("full"), 0);
  clock.Advance(absl::Hours(1));
  EXPECT_EQ(limit.Take("full"), 0);
  EXPECT_EQ(limit.Take("full"), 0);
  EXPECT_EQ(limit.Take("full"), std::nullopt);
}

}  // namespace
}  // namespace ddsp::server
