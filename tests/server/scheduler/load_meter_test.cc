#include "server/scheduler/load_meter.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ddsp::server {
namespace {

absl::Time At(double ms) { return absl::UnixEpoch() + absl::Milliseconds(ms); }

// Steps of `ms` every 20 ms, from 0 to `until_ms`.
void Work(LoadMeter& meter, double ms, int streams, int realtime, double until_ms) {
  for (double at = 0; at < until_ms; at += 20) {
    meter.Stepped({.engine = 0,
                   .streams = streams,
                   .realtime = realtime,
                   .begin = At(at),
                   .end = At(at + ms),
                   .waited = absl::Milliseconds(3) * realtime});
  }
}

TEST(LoadMeter, KnowsNothingAtFirst) {
  const LoadMeter meter(1, {absl::Milliseconds(20)});
  EXPECT_EQ(meter.busy(At(0)), 0);
  EXPECT_EQ(meter.strain(At(0)), 1);
  EXPECT_EQ(meter.device_wait(At(0)), absl::ZeroDuration());
}

TEST(LoadMeter, MeasuresTheShareOfRealtimeStreams) {
  LoadMeter one(1, {absl::Milliseconds(20)}), two(2, {absl::Milliseconds(20)});
  Work(one, 10, 8, 8, 10000);
  Work(two, 10, 8, 8, 10000);
  EXPECT_NEAR(one.busy(At(10000)), 0.5, 0.01);
  EXPECT_NEAR(two.busy(At(10000)), 0.25, 0.01) << "two workers have twice the time";
  LoadMeter mixed(1, {absl::Milliseconds(20)});
  Work(mixed, 10, 8, 2, 10000);
  EXPECT_NEAR(mixed.busy(At(10000)), 0.125, 0.01) << "THROUGHPUT streams can wait";
}

TEST(LoadMeter, Forgets) {
  LoadMeter meter(1, {absl::Milliseconds(20)});
  Work(meter, 10, 8, 8, 10000);
  EXPECT_NEAR(meter.busy(At(11000)), 0.5 * std::exp(-1.0), 0.02);
  EXPECT_LT(meter.busy(At(20000)), 1e-4);
}

TEST(LoadMeter, MeasuresHowMuchSlowerStepsAreThanOnAQuietDevice) {
  LoadMeter meter(1, {absl::Milliseconds(20)});
  meter.SetCost(0, {.fixed = absl::Milliseconds(1), .each = absl::Milliseconds(0.5)});
  Work(meter, 10, 8, 8, 5000);
  EXPECT_NEAR(meter.strain(At(5000)), 2, 1e-6) << "10 ms instead of 5";
  const StepCost now = meter.CostNow(0, At(5000));
  EXPECT_EQ(now.Of(8), absl::Milliseconds(10));
}

TEST(LoadMeter, KnowsWhoIsLate) {
  LoadMeter meter(1, {absl::Milliseconds(20)});
  EXPECT_EQ(meter.late_share(At(0)), 0);
  for (const int late : {1, 3}) {
    meter.Stepped({.streams = 8,
                   .realtime = 4,
                   .late = late,
                   .begin = At(0),
                   .end = At(5),
                   .lag = absl::Milliseconds(100) * late});
  }
  meter.Stepped({.streams = 8, .begin = At(0), .end = At(5), .lag = absl::Hours(1)});
  EXPECT_NEAR(meter.late_share(At(5)), 0.5, 1e-9) << "four of eight; THROUGHPUT streams do not count";
  EXPECT_NEAR(absl::ToDoubleMilliseconds(meter.lag(At(5))), 50, 1e-6);
}

TEST(LoadMeter, AveragesWaits) {
  LoadMeter meter(1, {absl::Milliseconds(20)});
  Work(meter, 10, 8, 8, 5000);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(meter.device_wait(At(5000))), 3, 1e-6);
  for (int i = 0; i < 100; ++i) meter.WaitedForCrew(absl::Milliseconds(i % 2), At(i));
  EXPECT_NEAR(absl::ToDoubleMilliseconds(meter.crew_wait(At(100))), 0.5, 0.01);
}

TEST(StepCost, IsTheLineThroughTwoMeasurements) {
  const StepCost cost = StepCost::Through(1, absl::Microseconds(300), 64, absl::Microseconds(300 + 63 * 80));
  EXPECT_EQ(cost.Of(1), absl::Microseconds(300));
  EXPECT_EQ(cost.Of(33), absl::Microseconds(300 + 32 * 80));
  EXPECT_EQ(StepCost::Through(1, absl::Microseconds(90), 1, absl::Microseconds(90)).Of(2), absl::Microseconds(180));
  const StepCost steep = StepCost::Through(1, absl::Microseconds(10), 64, absl::Microseconds(6400));
  EXPECT_GE(steep.fixed, absl::ZeroDuration());
  EXPECT_EQ(steep.Of(64), absl::Microseconds(6400));
}

}  // namespace
}  // namespace ddsp::server
