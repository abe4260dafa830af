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

constexpr absl::Duration kHop = absl::Milliseconds(20);

// Steps that cost 0.1 ms and 0.1 ms a stream, on a device of which REALTIME streams take `busy`.
TickLoad Load(double busy = 0, int idle_workers = 1) {
  const EngineTick engine{.hop = kHop, .cost = {.fixed = absl::Microseconds(100), .each = absl::Microseconds(100)}};
  return {.busy = busy, .idle_workers = idle_workers, .engines = {engine, engine, engine, engine, engine}};
}

// What goes at once on an idle device.
BatchPlan Plan(const BatchFormer& former, const std::vector<ReadyHop>& ready, absl::Time now) {
  const BatchDecision decision = former.Next(ready, Load(), now);
  EXPECT_TRUE(decision.plan.has_value());
  return decision.plan.value_or(BatchPlan{});
}

TEST(BatchFormer, NobodyReadyMeansNoBatch) {
  const BatchDecision decision = BatchFormer({}).Next({}, Load(), At(0));
  EXPECT_EQ(decision.plan, std::nullopt);
  EXPECT_EQ(decision.wait_until, absl::InfiniteFuture());
}

TEST(BatchFormer, LongestWaitingGoesWithAllOfItsEngine) {
  const BatchPlan plan =
      Plan(BatchFormer({}),
           {{0, kRealtime, At(5)}, {1, kRealtime, At(3)}, {1, kRealtime, At(9)}, {0, kRealtime, At(4)}}, At(10));
  EXPECT_EQ(plan.engine, 1);
  EXPECT_THAT(plan.members, ElementsAre(1, 2));
}

TEST(BatchFormer, TheSmallerBudgetGoesFirst) {
  const BatchPlan plan = Plan(BatchFormer({.max_streams = 1}),
                              {{0, kRealtime, At(0)}, {1, kRealtime, At(10), absl::Milliseconds(20)}}, At(11));
  EXPECT_EQ(plan.engine, 1) << "due at 30 ms, the other at 40";
}

// A stream that has been kept waiting is ready again a moment later, and due long before those around it.
TEST(BatchFormer, TheStreamThatIsBehindGoesFirst) {
  const BatchPlan plan =
      Plan(BatchFormer({.max_streams = 1}),
           {{0, kRealtime, At(8)}, {.engine = 1, .since = At(10), .lag = absl::Milliseconds(300)}}, At(16));
  EXPECT_EQ(plan.engine, 1);
}

// It waits for those that were stepped with it, and no longer.
TEST(BatchFormer, WhoIsLateWaitsLess) {
  const BatchFormer former({});
  const auto wait = [&](double lag_ms) {
    const ReadyHop hop{.since = At(10), .lag = absl::Milliseconds(lag_ms)};
    const TickLoad load{.busy = 0.9, .engines = {{.cost = {.each = absl::Microseconds(60)}}}};
    EXPECT_EQ(former.Next({hop}, load, At(10)).wait_until, former.LatestStart(hop));
    return former.LatestStart(hop) - At(10);
  };
  EXPECT_EQ(wait(0), absl::Milliseconds(5));
  EXPECT_EQ(wait(20), absl::Milliseconds(5));
  EXPECT_EQ(wait(22), absl::Milliseconds(3));
  EXPECT_EQ(wait(300), absl::Milliseconds(1.25));
}

TEST(BatchFormer, RealtimeGoesBeforeOlderThroughput) {
  const BatchPlan plan = Plan(BatchFormer({.max_streams = 2}),
                              {{0, kThroughput, At(1)}, {0, kRealtime, At(8)}, {0, kRealtime, At(7)}}, At(10));
  EXPECT_THAT(plan.members, ElementsAre(2, 1));
}

TEST(BatchFormer, ThroughputFillsWhatIsLeft) {
  const BatchPlan plan =
      Plan(BatchFormer({.max_streams = 3}), {{0, kThroughput, At(1)}, {0, kRealtime, At(8)}}, At(10));
  EXPECT_THAT(plan.members, ElementsAre(1, 0));
}

// A step that THROUGHPUT filled to the brim would keep the next REALTIME hop waiting.
TEST(BatchFormer, ThroughputTakesNoLongerThanTheLongestTick) {
  const std::vector<ReadyHop> ready(200, {0, kThroughput, At(9)});
  EXPECT_EQ(Plan(BatchFormer({}), ready, At(10)).members.size(), 49u) << "0.1 ms + 49 * 0.1 ms = a quarter of a hop";
}

TEST(BatchFormer, ThroughputThatWaitedLongIsNotStarved) {
  const BatchFormer former({.max_streams = 1, .throughput_patience = absl::Milliseconds(500)});
  const std::vector<ReadyHop> ready = {{0, kThroughput, At(0)}, {1, kRealtime, At(490)}};
  EXPECT_EQ(Plan(former, ready, At(499)).engine, 1);
  EXPECT_EQ(Plan(former, ready, At(500)).engine, 0);
}

// Theorem: a tick is as long as the device needs for one hop of everybody, up to a quarter of a hop.
TEST(BatchFormer, TicksGrowWithTheLoad) {
  const BatchFormer former({.max_wait = absl::Milliseconds(5)});
  const EngineTick engine = Load().engines[0];
  EXPECT_EQ(former.GatherTime(0, engine), absl::ZeroDuration());
  EXPECT_EQ(former.GatherTime(0.01, engine), absl::ZeroDuration()) << "one stream waits for nobody";
  EXPECT_EQ(former.GatherTime(0.1, engine), absl::Milliseconds(2));
  EXPECT_EQ(former.GatherTime(0.25, engine), absl::Milliseconds(5));
  EXPECT_EQ(former.GatherTime(0.9, engine), absl::Milliseconds(5));
  const EngineTick short_hop{.hop = absl::Milliseconds(4), .cost = {}};
  EXPECT_EQ(former.GatherTime(0.9, short_hop), absl::Milliseconds(1)) << "a quarter of it";
  EXPECT_EQ(BatchFormer({.max_wait = absl::ZeroDuration()}).GatherTime(0.9, engine), absl::ZeroDuration());
}

TEST(BatchFormer, WaitsForCompanyButNotForEver) {
  const BatchFormer former({});
  const std::vector<ReadyHop> ready = {{0, kRealtime, At(10)}, {0, kRealtime, At(12)}};
  const BatchDecision early = former.Next(ready, Load(0.5), At(14));
  EXPECT_EQ(early.plan, std::nullopt);
  EXPECT_EQ(early.wait_until, At(15));
  EXPECT_EQ(former.Next(ready, Load(0.5), At(15)).plan->members.size(), 2u);
}

TEST(BatchFormer, ASmallBudgetIsNotSpentOnWaiting) {
  const BatchFormer former({});
  const std::vector<ReadyHop> ready = {{0, kRealtime, At(10)}, {0, kRealtime, At(10), absl::Milliseconds(8)}};
  EXPECT_EQ(former.Next(ready, Load(0.5), At(10)).wait_until, At(11));
  EXPECT_EQ(former.LatestStart(ready[1]), At(11));
}

TEST(BatchFormer, ThroughputWaitsForTheTickOfOthers) {
  const BatchFormer former({});
  EXPECT_EQ(former.Next({{0, kThroughput, At(1)}, {0, kRealtime, At(10)}}, Load(0.5), At(11)).plan, std::nullopt);
}

TEST(BatchFormer, FullBatchDoesNotWait) {
  const BatchFormer former({.max_streams = 2});
  const BatchDecision decision = former.Next({{0, kRealtime, At(9)}, {0, kRealtime, At(9)}}, Load(0.9), At(10));
  EXPECT_THAT(decision.plan->members, UnorderedElementsAre(0, 1));
}

TEST(BatchFormer, IdleWorkersShareWhatIsReady) {
  const BatchFormer former({.min_share = 32});
  const std::vector<ReadyHop> ready(100, {0, kRealtime, At(0)});
  EXPECT_EQ(former.Next(ready, Load(0, 1), At(10)).plan->members.size(), 100u);
  EXPECT_EQ(former.Next(ready, Load(0, 2), At(10)).plan->members.size(), 50u);
  EXPECT_EQ(former.Next(ready, Load(0, 8), At(10)).plan->members.size(), 32u) << "no smaller share";
}

// Theorem: with equal demands, nobody is passed over twice by the same neighbour.
TEST(BatchFormer, EqualStreamsTakeTurns) {
  const BatchFormer former({.max_streams = 1});
  std::vector<ReadyHop> ready;
  for (int i = 0; i < 5; ++i) ready.push_back({i, kRealtime, At(0)});
  std::vector<int> served(5, 0);
  for (int round = 0; round < 20; ++round) {
    const int engine = Plan(former, ready, At(round)).engine;
    ++served[engine];
    ready[engine].since = At(round + 1);
  }
  EXPECT_THAT(served, ElementsAre(4, 4, 4, 4, 4));
}

}  // namespace
}  // namespace ddsp::server
