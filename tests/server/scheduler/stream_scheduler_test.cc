#include "server/scheduler/stream_scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "server/scheduler/device_worker.h"
#include "tests/server/support/fake_engine.h"

namespace ddsp::server {
namespace {

using ddsp::testing::FakeEngine;
using ddsp::testing::kPoison;

// Notes what the device told it.
class NotingStream : public ScheduledStream {
 public:
  void ResetDone(const absl::Status& status) override { reset = status; }
  void HopDone(const absl::Status& status, const HopTiming&) override { hops.push_back(status); }
  std::optional<absl::Status> reset;
  std::vector<absl::Status> hops;
};

struct Stream {
  explicit Stream(int slot, float sample) : slot(slot), input(320, sample), output(320) {}
  HopTicket Hop() {
    HopTicket ticket{.ready = {.engine = 0}, .request = {}, .stream = notes};
    ticket.request.slot = slot;
    ticket.request.audio = input;
    ticket.request.output = absl::MakeSpan(output);
    return ticket;
  }
  int slot;
  std::vector<float> input, output;
  std::shared_ptr<NotingStream> notes = std::make_shared<NotingStream>();
};

class SchedulerTest : public ::testing::Test {
 protected:
  SimClock clock_;
  FakeEngine engine_{4};
  ServerMetrics metrics_;
  StreamScheduler scheduler_{{}, clock_};
  DeviceWorker device_{scheduler_, {{&engine_, &metrics_.ForModel("violin")}}, clock_};
};

TEST_F(SchedulerTest, ResetsComeBeforeHops) {
  Stream one(0, 0.1f), two(1, 0.2f);
  scheduler_.Submit(one.Hop());
  scheduler_.Submit(ResetTicket{0, two.slot, {}, two.notes});
  EXPECT_EQ(scheduler_.Next()->resets.size(), 1u);
  EXPECT_EQ(scheduler_.Next()->hops.size(), 1u);
}

TEST_F(SchedulerTest, ReadyStreamsShareAStep) {
  Stream one(0, 0.1f), two(1, 0.2f);
  scheduler_.Submit(one.Hop());
  scheduler_.Submit(two.Hop());
  EXPECT_EQ(scheduler_.Next()->hops.size(), 2u);
  EXPECT_EQ(scheduler_.waiting(), 0);
}

TEST_F(SchedulerTest, AFaultStaysWithItsStream) {
  Stream good(0, 0.1f), bad(1, kPoison);
  for (Stream* stream : {&good, &bad})
    device_.Do({.engine = 0, .resets = {{0, stream->slot, {}, stream->notes}}, .hops = {}});
  scheduler_.Submit(good.Hop());
  scheduler_.Submit(bad.Hop());
  device_.Do(*scheduler_.Next());
  EXPECT_TRUE(good.notes->hops.at(0).ok());
  EXPECT_EQ(bad.notes->hops.at(0).code(), absl::StatusCode::kInternal);
}

TEST_F(SchedulerTest, StopEndsTheWaitAndDropsTickets) {
  std::thread device([this] { device_.Run(); });
  scheduler_.Stop();
  device.join();
  Stream late(0, 0.1f);
  scheduler_.Submit(late.Hop());
  EXPECT_EQ(scheduler_.waiting(), 0);
  EXPECT_EQ(late.notes.use_count(), 1);
}

}  // namespace
}  // namespace ddsp::server
