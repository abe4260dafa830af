// What the scheduler promises to many streams, in virtual time.
#include <gtest/gtest.h>

#include "server/scheduler/shedder.h"
#include "tests/server/scheduler/simulated_device.h"

namespace ddsp::server {
namespace {

using ddsp::testing::SimulatedDevice;
using ddsp::testing::VirtualEngine;
using ddsp::testing::VirtualStream;

constexpr auto kThroughput = QualityOfService::kThroughput;

// About a VST voice on one core: 300 live streams would fill it.
constexpr StepCost kCpu{.fixed = absl::Microseconds(300), .each = absl::Microseconds(60)};
// About the same on a GPU: launches cost, streams hardly do.
constexpr StepCost kGpu{.fixed = absl::Microseconds(1500), .each = absl::Microseconds(2)};

// Live streams that start at their own instants within a hop. Returns the number of the first.
int AddLive(SimulatedDevice& device, int streams, double seconds, VirtualStream plan = {}) {
  std::mt19937 random(streams);
  std::uniform_real_distribution<double> phase(0, 20);
  plan.messages = static_cast<int>(seconds * 50);
  int first = -1;
  for (int i = 0; i < streams; ++i) {
    plan.start = absl::Milliseconds(phase(random));
    const int number = device.Add(plan);
    if (first < 0) first = number;
  }
  return first;
}

double Ms(absl::Duration d) { return absl::ToDoubleMilliseconds(d); }

TEST(SchedulerSimulation, ALoneStreamNeverWaits) {
  SimulatedDevice device(1, {{.cost = kCpu}});
  AddLive(device, 1, 20);
  device.Run();
  EXPECT_EQ(device.Quantile(0, 1, 1), kCpu.Of(1));
  EXPECT_EQ(device.wakes(), 0);
}

// The aim of ticks: a loaded device steps large batches, four of them in a hop.
TEST(SchedulerSimulation, ALoadedDeviceStepsLargeBatches) {
  SimulatedDevice device(1, {{.cost = kCpu}});
  AddLive(device, 256, 10);
  device.Run();
  EXPECT_GT(device.mean_batch(), 50);
  EXPECT_LT(Ms(device.Quantile(0, 256, 0.99)), 15);
  EXPECT_LT(device.wakes(), 10 * 260) << "at most one a tick";
}

TEST(SchedulerSimulation, LatencyGrowsGentlyWithTheLoad) {
  double before = 0;
  for (const int streams : {1, 4, 16, 64, 128, 256}) {
    SimulatedDevice device(1, {{.cost = kCpu}});
    AddLive(device, streams, 5);
    device.Run();
    const double p99 = Ms(device.Quantile(0, streams, 0.99));
    EXPECT_LT(p99, 1 + 5 + 2 * Ms(kCpu.Of(streams / 4.0 + 1))) << streams << " streams: a tick and two steps";
    EXPECT_GT(p99, 0.5 * before);
    before = p99;
  }
}

TEST(SchedulerSimulation, ThousandsOfStreamsOnOneDevice) {
  SimulatedDevice device(1, {{.cost = kGpu}}, {.max_streams = 2048});
  AddLive(device, 4000, 5);
  device.Run();
  EXPECT_EQ(device.hops(), 4000 * 250);
  EXPECT_LT(Ms(device.Quantile(0, 4000, 0.999)), 20);
}

// All at the same instant, hop after hop: as if every client had the same clock.
TEST(SchedulerSimulation, ABurstOfEverybodyIsInTime) {
  SimulatedDevice device(1, {{.cost = kGpu}});
  for (int i = 0; i < 2000; ++i) device.Add({.messages = 100});
  device.Run();
  EXPECT_LT(Ms(device.Quantile(0, 2000, 1)), 40);
}

TEST(SchedulerSimulation, WorkersShareTheLoad) {
  SimulatedDevice one(1, {{.cost = kCpu}}), four(4, {{.cost = kCpu}});
  AddLive(one, 200, 5);
  AddLive(four, 800, 5);
  one.Run();
  four.Run();
  EXPECT_LT(four.Quantile(0, 800, 0.99), 1.5 * one.Quantile(0, 200, 0.99));
}

// A large network: a step of everybody takes longer than a hop, and two workers keep up only side by side.
constexpr VirtualEngine kLarge = {.cost = {.fixed = absl::Microseconds(500), .each = absl::Microseconds(1200)}};
constexpr int kCrowd = 24;

void AddCrowd(SimulatedDevice& device) {
  for (int i = 0; i < kCrowd; ++i) device.Add({.start = absl::Milliseconds(0.1 * i), .messages = 500});
}

TEST(SchedulerSimulation, WorkersShareLongStepsOfFewStreams) {
  SimulatedDevice device(2, {kLarge});
  AddCrowd(device);
  device.Run();
  EXPECT_LT(Ms(device.Quantile(0, kCrowd, 0.99)), 20);
}

// Half a second in which nothing is stepped: everybody was in time and is not to blame.
TEST(SchedulerSimulation, WhoWasKeptWaitingCatchesUp) {
  SimulatedDevice device(2, {kLarge, {.cost = {.fixed = absl::Milliseconds(500)}}});
  AddCrowd(device);
  for (int i = 0; i < 2; ++i) device.Add({.engine = 1, .start = absl::Milliseconds(100 * i), .messages = 1});
  device.Run();
  EXPECT_GT(Ms(device.Quantile(0, kCrowd, 1)), 300);
  for (int stream = 0; stream < kCrowd; ++stream) {
    EXPECT_LT(Ms(device.latencies(stream).back()), 20) << stream;
  }
}

// Theorem: THROUGHPUT gets what live streams leave, and costs them no more than a tick.
TEST(SchedulerSimulation, ThroughputFinishesAndLiveStreamsHardlyNotice) {
  SimulatedDevice alone(1, {{.cost = kCpu}}), shared(1, {{.cost = kCpu}});
  AddLive(alone, 150, 20);
  AddLive(shared, 150, 20);
  std::vector<int> files;
  for (int i = 0; i < 20; ++i)
    files.push_back(shared.Add({.qos = kThroughput, .hops_per_message = 1500, .messages = 1}));
  alone.Run();
  shared.Run();
  for (const int file : files) {
    EXPECT_EQ(shared.latencies(file).size(), 1500u);
    EXPECT_LT(shared.finished(file), absl::UnixEpoch() + absl::Seconds(20)) << "30 s of audio, faster than live";
  }
  EXPECT_LT(Ms(shared.Quantile(0, 150, 0.99)), Ms(alone.Quantile(0, 150, 0.99)) + 5);
}

// A device that live streams overload: THROUGHPUT goes on all the same, if slowly.
TEST(SchedulerSimulation, ThroughputIsNotStarvedByOverload) {
  SimulatedDevice device(1, {{.cost = kCpu}});
  AddLive(device, 400, 10);
  const int file = device.Add({.qos = kThroughput, .hops_per_message = 1000, .messages = 1});
  device.Run(absl::Seconds(10));
  EXPECT_GE(device.latencies(file).size(), 10u);
}

TEST(SchedulerSimulation, ModelsAreServedAlike) {
  SimulatedDevice device(1, {{.cost = kCpu}, {.cost = kCpu}});
  AddLive(device, 110, 10, {.engine = 0});
  AddLive(device, 110, 10, {.engine = 1});
  device.Run();
  const double first = Ms(device.Quantile(0, 110, 0.99)), second = Ms(device.Quantile(110, 220, 0.99));
  EXPECT_LT(std::max(first, second), 1.25 * std::min(first, second));
  EXPECT_LT(first, 25);
}

TEST(SchedulerSimulation, ALargeModelDoesNotShutASmallOneOut) {
  SimulatedDevice device(1,
                         {{.cost = kCpu}, {.cost = {.fixed = absl::Milliseconds(4), .each = absl::Microseconds(200)}}});
  AddLive(device, 20, 10, {.engine = 0});
  AddLive(device, 20, 10, {.engine = 1});
  device.Run();
  EXPECT_LT(Ms(device.Quantile(0, 20, 0.99)), 25);
}

// Twice as many want in as fit: who is admitted keeps the latency, the rest is told at once.
TEST(SchedulerSimulation, OverloadIsRefusedAndTheAdmittedKeepTheirLatency) {
  SimulatedDevice device(1, {{.cost = kCpu}});
  int admitted = 0;
  for (int second = 0; second < 10; ++second) {
    for (int i = 0; i < 60; ++i) {
      if (device.load().Join(0).has_value()) continue;
      device.Add({.start = absl::Milliseconds(i * 20.0 / 60), .messages = (20 - second) * 50});
      ++admitted;
    }
    device.Run(absl::Seconds(1));
  }
  device.Run();
  EXPECT_GT(admitted, 200);
  EXPECT_LT(admitted, 300);
  EXPECT_LT(Ms(device.Quantile(0, admitted, 0.999)), 20);
}

// The same crowd without admission: this is what it is for.
TEST(SchedulerSimulation, OverloadWithoutAdmissionIsLateForEverybody) {
  SimulatedDevice device(1, {{.cost = kCpu}});
  AddLive(device, 600, 5);
  device.Run();
  EXPECT_GT(Ms(device.Quantile(0, 600, 0.5)), 100);
}

// A machine that comes to do little more than half of what it did, after ten seconds of sixty.
struct SlowedCrowd {
  static constexpr int kStreams = 200, kSeconds = 60;
  explicit SlowedCrowd(absl::Duration shed_after) {
    Shedder shedder(shed_after);
    for (int i = 0; i < kStreams; ++i) {
      while (device.load().Join(0).has_value()) device.Run(absl::Seconds(1));
      device.Add({.start = absl::Milliseconds(i * 20.0 / kStreams), .messages = kSeconds * 50});
    }
    for (int second = 0; second < kSeconds; ++second) {
      if (second == 10) device.SlowDown(1.8);
      device.Run(absl::Seconds(1));
      for (int n = shedder.Look(device.load().headroom(), left, device.clock().Now()); n > 0; --n) {
        device.Stop(--left);
        device.load().Leave(0);
      }
    }
  }
  // Of the last ten seconds of those that are left.
  double QuantileMs(double q) const {
    std::vector<absl::Duration> last;
    for (int i = 0; i < left; ++i) {
      const std::vector<absl::Duration>& all = device.latencies(i);
      last.insert(last.end(), all.end() - std::min<size_t>(all.size(), 500), all.end());
    }
    std::sort(last.begin(), last.end());
    return Ms(last[static_cast<size_t>(q * static_cast<double>(last.size()))]);
  }

  SimulatedDevice device{1, {{.cost = kCpu}}};
  int left = kStreams;
};

TEST(SchedulerSimulation, OfAMachineThatSlowsDownThoseAreHeardThatItCanServe) {
  const SlowedCrowd kept(/*shed_after=*/absl::ZeroDuration()), shed(absl::Seconds(5));
  EXPECT_GT(kept.QuantileMs(0.01), 1000);
  EXPECT_LT(shed.QuantileMs(0.5), 40);
  EXPECT_LT(shed.QuantileMs(0.999), 50);
  EXPECT_GT(shed.left, 120);
}

// Fault isolation: clients that send whole recordings at once, seconds at a time, or stop and catch up.
TEST(SchedulerSimulation, TroublemakersCostOthersLessThanATenth) {
  constexpr int kStreams = 150;
  SimulatedDevice alone(1, {{.cost = kCpu}}), troubled(1, {{.cost = kCpu}});
  AddLive(alone, kStreams + 10, 20);
  AddLive(troubled, kStreams, 20);
  for (int i = 0; i < 4; ++i) {
    troubled.Add({.start = absl::Milliseconds(3 * i), .hops_per_message = 50, .messages = 20});
    troubled.Add({.start = absl::Milliseconds(7 * i), .hops_per_message = 1000, .messages = 1});
    troubled.Add({.start = absl::Milliseconds(5 * i), .hops_per_message = 13, .messages = 77});
  }
  alone.Run();
  troubled.Run();
  const double before = Ms(alone.Quantile(0, kStreams, 0.99)), after = Ms(troubled.Quantile(0, kStreams, 0.99));
  EXPECT_LT(after, 1.1 * before + 1);
}

TEST(SchedulerSimulation, IsTheSameEveryTime) {
  std::vector<absl::Duration> first;
  for (int run = 0; run < 2; ++run) {
    SimulatedDevice device(2, {{.cost = kCpu}, {.cost = kGpu}});
    AddLive(device, 100, 3, {.engine = 0});
    AddLive(device, 100, 3, {.engine = 1});
    device.Run();
    if (run == 0) {
      first = device.latencies(57);
    } else {
      EXPECT_EQ(device.latencies(57), first);
    }
  }
}

}  // namespace
}  // namespace ddsp::server
