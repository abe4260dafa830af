#include "server/scheduler/batch_former.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ddsp::server {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr auto kRealtime = QualityOfService::kRealtime;
constexpr auto kThroughput = QualityOfService::kThroughput;

absl::Time At(int ms) { return absl::UnixEpoch() + absl::Milliseconds(ms); }

TEST(BatchFormer, NobodyReadyMeansNoBatch) { EXPECT_EQ(BatchFormer({}).Next({}, At(0)), std::nullopt); }

TEST(BatchFormer, LongestWaitingGoesWithAllOfItsEngine) {
  const auto plan = BatchFormer({}).Next(
      {{0, kRealtime, At(5)}, {1, kRealtime, At(3)}, {1, kRealtime, At(9)}, {0, kRealtime, At(4)}}, At(10));
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->engine, 1);
  EXPECT_THAT(plan->members, ElementsAre(1, 2));
}

TEST(BatchFormer, RealtimeGoesBeforeOlderThroughput) {
  const auto plan = BatchFormer({.max_streams = 2})
                        .Next({{0, kThroughput, At(1)}, {0, kRealtime, At(8)}, {0, kRealtime, At(7)}}, At(10));
  EXPECT_THAT(plan->members, ElementsAre(2, 1));
}

TEST(BatchFormer, ThroughputFillsWhatIsLeft) {
  const auto plan = BatchFormer({.max_streams = 3}).Next({{0, kThroughput, At(1)}, {0, kRealtime, At(8)}}, At(10));
  EXPECT_THAT(plan->members, ElementsAre(1, 0));
}

TEST(BatchFormer, ThroughputThatWaitedLongIsNotStarved) {
  const BatchFormer former({.max_streams = 1, .throughput_patience = absl::Milliseconds(500)});
  const std::vector<ReadyHop> ready = {{0, kThroughput, At(0)}, {1, kRealtime, At(400)}};
  EXPECT_EQ(former.Next(ready, At(499))->engine, 1);
  EXPECT_EQ(former.Next(ready, At(500))->engine, 0);
}

TEST(BatchFormer, WaitsForCompanyButNotForEver) {
  const BatchFormer former({.max_streams = 4, .max_wait = absl::Milliseconds(2)});
  EXPECT_EQ(former.Next({{0, kRealtime, At(9)}}, At(10)), std::nullopt);
  EXPECT_TRUE(former.Next({{0, kRealtime, At(8)}}, At(10)).has_value());
}

TEST(BatchFormer, FullBatchDoesNotWait) {
  const BatchFormer former({.max_streams = 2, .max_wait = absl::Seconds(1)});
  EXPECT_THAT(former.Next({{0, kRealtime, At(9)}, {0, kRealtime, At(9)}}, At(10))->members, UnorderedElementsAre(0, 1));
}

// Theorem: with equal demands, nobody is passed over twice by the same neighbour.
TEST(BatchFormer, EqualStreamsTakeTurns) {
  const BatchFormer former({.max_streams = 1});
  std::vector<ReadyHop> ready;
  for (int i = 0; i < 5; ++i) ready.push_back({i, kRealtime, At(0)});
  std::vector<int> served(5, 0);
  for (int round = 0; round < 20; ++round) {
    const int engine = former.Next(ready, At(round))->engine;
    ++served[engine];
    ready[engine].since = At(round + 1);
  }
  EXPECT_THAT(served, ElementsAre(4, 4, 4, 4, 4));
}

}  // namespace
}  // namespace ddsp::server
