#include "server/scheduler/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/scheduler/device_load.h"

namespace ddsp::server {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kHop = absl::Milliseconds(20), kTick = absl::Milliseconds(5);
constexpr StepCost kCost{.fixed = absl::Milliseconds(1), .each = absl::Microseconds(100)};

double DemandOf(int streams, int workers = 1, const StepCost& cost = kCost) {
  const EngineDemand engine{.streams = streams, .hop = kHop, .cost = cost};
  return Demand({engine}, workers, kTick, 256);
}

// 40 streams gather in tens: 2 ms for 10 hops, 200 times a second.
TEST(Demand, CountsStepsOfTheSizeThatTicksGather) {
  EXPECT_EQ(DemandOf(0), 0);
  EXPECT_NEAR(DemandOf(1), 1.1 / 20, 1e-9) << "alone in its step";
  EXPECT_NEAR(DemandOf(40), 0.2 * 40 / 20, 1e-9);
  EXPECT_NEAR(DemandOf(80, 2), DemandOf(40), 1e-9) << "twice the workers, twice the streams";
}

TEST(Demand, AddsTheModelsUp) {
  const EngineDemand a{.streams = 40, .hop = kHop, .cost = kCost}, b{.streams = 20, .hop = kHop, .cost = kCost};
  EXPECT_NEAR(Demand({a, b}, 1, kTick, 256), DemandOf(40) + DemandOf(20), 1e-9);
}

TEST(Refusal, LooksAtTheLoadWithTheNewcomer) {
  const AdmissionOptions options{.max_load = 0.8, .max_wait = absl::Milliseconds(10)};
  EXPECT_EQ(Refusal({.busy = 0.1, .demand = 0.8}, 0.01, options), std::nullopt);
  EXPECT_THAT(Refusal({.busy = 0.1, .demand = 0.81}, 0.01, options).value(), HasSubstr("81 %, above 80 %"));
  EXPECT_NE(Refusal({.busy = 0.79, .demand = 0.5}, 0.02, options), std::nullopt) << "measured beats expected";
}

TEST(Refusal, LooksAtTheQueues) {
  const AdmissionOptions options{.max_load = 0.8, .max_wait = absl::Milliseconds(10)};
  EXPECT_THAT(Refusal({.device_wait = absl::Milliseconds(11)}, 0, options).value(),
              HasSubstr("11.0 ms for the device"));
  EXPECT_NE(Refusal({.crew_wait = absl::Milliseconds(11)}, 0, options), std::nullopt);
  EXPECT_EQ(Refusal({.busy = 1, .demand = 9, .crew_wait = absl::Seconds(1)}, 1, {.max_load = 0}), std::nullopt)
      << "no bound";
}

TEST(Refusal, LooksAtWhoIsLate) {
  EXPECT_EQ(Refusal({.late = 1, .lag = absl::Milliseconds(250)}, 0, {}), std::nullopt);
  EXPECT_THAT(Refusal({.lag = absl::Milliseconds(251)}, 0, {}).value(), HasSubstr("251 ms late"));
}

TEST(Refusal, LooksAtTheCores) {
  const AdmissionOptions options{.max_load = 0.8};
  EXPECT_EQ(Refusal({.demand = 0.4, .cpu = 0.8}, 0.01, options), std::nullopt);
  EXPECT_THAT(Refusal({.demand = 0.4, .cpu = 0.82}, 0.01, options).value(), HasSubstr("cores to 82 %"));
}

int JoinUntilRefused(DeviceLoad& load) {
  int joined = 0;
  while (joined < 1000 && !load.Join(0).has_value()) ++joined;
  return joined;
}

// Two device threads on two cores: what else the process does for a stream, transport above all, needs its share.
TEST(DeviceLoad, CountsWhatTheProcessDoesBesideSteps) {
  const auto capacity = [](double cpu_per_step) {
    SimClock clock;
    DeviceLoad load({.workers = 2, .cores = 2, .batches = {.max_wait = kTick}}, {kHop}, clock);
    load.SetCost(0, kCost);
    for (int i = 1; i <= 20; ++i) {
      for (int step = 0; step < 50; ++step) {
        load.Stepped({.engine = 0, .streams = 10, .begin = clock.Now(), .end = clock.Now() + kCost.Of(10)});
      }
      load.UsedCpu({.process = cpu_per_step * i * 50 * absl::ToDoubleSeconds(kCost.Of(10)), .at = clock.Now()});
    }
    return JoinUntilRefused(load);
  };
  EXPECT_LT(capacity(3), 0.75 * capacity(2));
  EXPECT_GT(capacity(1), capacity(2));
}

// Of which twice as many streams need twice as much.
constexpr StepCost kEven{.fixed = absl::ZeroDuration(), .each = absl::Microseconds(200)};

// On two cores, once a second.
class MeasuredCores : public ::testing::Test {
 protected:
  MeasuredCores() { load_.SetCost(0, kEven); }
  // The second in which other programs took so many cores.
  void Pass(double others) {
    clock_.Advance(absl::Seconds(1));
    machine_ += others;
    load_.UsedCpu({.machine = machine_, .at = clock_.Now()});
  }
  // What comes in crowds, of which each is measured.
  int JoinInCrowds(double others) {
    int joined = 0;
    for (int crowd = 0; crowd < 10; ++crowd) {
      joined += JoinUntilRefused(load_);
      Pass(others), Pass(others);
    }
    return joined;
  }

  SimClock clock_;
  DeviceLoad load_{{.workers = 2, .cores = 2, .batches = {.max_wait = kTick}}, {kHop}, clock_};
  double machine_ = 1000;
};

TEST_F(MeasuredCores, ACrowdGetsAPartUntilItIsSeenPlaying) {
  Pass(0);
  const int at_once = JoinUntilRefused(load_);
  EXPECT_THAT(load_.Join(0).value(), HasSubstr("have just come"));
  Pass(0);
  EXPECT_NE(load_.Join(0), std::nullopt) << "that was a moment ago";
  Pass(0);
  const int later = JoinUntilRefused(load_);
  EXPECT_GT(later, 0);
  EXPECT_THAT(load_.Join(0).value(), HasSubstr("load the cores to"));
  EXPECT_NEAR(at_once, AdmissionOptions().max_unproven * (at_once + later), 2);
}

// As sequences of a few requests, one after the other.
TEST_F(MeasuredCores, StreamsThatHaveLeftArePromisedNothing) {
  Pass(0);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(load_.Join(0), std::nullopt) << i;
    load_.Leave(0);
  }
  const int at_once = JoinUntilRefused(load_);
  load_.Leave(0);
  EXPECT_EQ(load_.Join(0), std::nullopt) << "in its place";
  EXPECT_THAT(load_.Join(0).value(), HasSubstr("have just come")) << at_once;
}

// As when one of two replicas stops.
TEST_F(MeasuredCores, ACrowdThatMovesDoesNotWait) {
  int moved = 0;
  while (moved < 1000 && !load_.Join(0, /*moved=*/true).has_value()) ++moved;
  EXPECT_THAT(load_.Join(0, /*moved=*/true).value(), HasSubstr("load the cores to 8"));
  for (int i = 0; i < moved; ++i) load_.Leave(0);
  EXPECT_LT(JoinUntilRefused(load_), 0.8 * moved);
}

TEST_F(MeasuredCores, OtherProgramsLeaveRoomForFewer) {
  for (int i = 0; i < 10; ++i) Pass(0.5);
  const int beside_others = JoinInCrowds(0.5);
  DeviceLoad alone({.workers = 2, .cores = 2, .batches = {.max_wait = kTick}}, {kHop}, clock_);
  alone.SetCost(0, kEven);
  int all = 0;
  for (int crowd = 0; crowd < 10; ++crowd) {
    all += JoinUntilRefused(alone);
    for (int look = 0; look < 2; ++look) alone.UsedCpu({.at = clock_.Now()});
  }
  EXPECT_NEAR(beside_others, 0.75 * all, 2) << "a quarter of the cores is theirs";
}

// A training on the same machine takes all that nobody else wants.
TEST_F(MeasuredCores, ThoseWhoTakeEverythingLeaveAFairShare) {
  for (int i = 0; i < 20; ++i) Pass(0.5);
  const int beside_some = JoinInCrowds(0.5);
  for (int i = 0; i < beside_some; ++i) load_.Leave(0);
  for (int i = 0; i < 20; ++i) Pass(2);
  EXPECT_GT(JoinInCrowds(2), 0.5 * beside_some);
}

class DeviceLoadTest : public ::testing::Test {
 protected:
  int JoinUntilRefused() { return ddsp::server::JoinUntilRefused(load_); }

  SimClock clock_;
  DeviceLoad load_{{.workers = 1, .batches = {.max_wait = kTick}, .admission = {.max_load = 0.85}}, {kHop}, clock_};
};

// Everybody comes at once, before anything was measured under load: what counts is what they will need.
TEST_F(DeviceLoadTest, ACrowdIsAdmittedUpToTheCapacity) {
  load_.SetCost(0, kCost);
  const int joined = JoinUntilRefused();
  EXPECT_LE(DemandOf(joined), 0.85);
  EXPECT_GT(DemandOf(joined + 1), 0.85);
  load_.Leave(0);
  EXPECT_EQ(JoinUntilRefused(), 1) << "one left, one comes";
}

// A neighbour takes half of the machine: steps take twice as long as when the server started.
TEST_F(DeviceLoadTest, ASlowerDeviceHoldsFewer) {
  load_.SetCost(0, kCost);
  const int quiet = JoinUntilRefused();
  for (int i = 0; i < quiet; ++i) load_.Leave(0);
  for (int i = 0; i < 50; ++i) {
    clock_.Advance(absl::Milliseconds(20));
    load_.Stepped(
        {.engine = 0, .streams = 10, .realtime = 10, .begin = clock_.Now() - 2 * kCost.Of(10), .end = clock_.Now()});
  }
  const int slow = JoinUntilRefused();
  EXPECT_LT(slow, 0.6 * quiet);
  EXPECT_GT(slow, 0.25 * quiet) << "fewer share a step, too";
}

TEST_F(DeviceLoadTest, NobodyIsRefusedWhereNothingIsKnown) { EXPECT_EQ(JoinUntilRefused(), 1000); }

}  // namespace
}  // namespace ddsp::server
