#include "server/scheduler/stream_scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "server/scheduler/device_worker.h"
#include "tests/server/support/fake_engine.h"
#include "tests/server/support/inline_executor.h"

namespace ddsp::server {
namespace {

using ddsp::testing::FakeEngine;
using ddsp::testing::InlineExecutor;
using ddsp::testing::kPoison;

// Notes what the device told it.
class NotingStream : public ScheduledStream {
 public:
  void ResetDone(const absl::Status& status) override { reset = status; }
  void HopDone(const absl::Status& status, const HopTiming&) override { hops.push_back(status); }
  void AfterHop() override { ++finished; }
  std::optional<absl::Status> reset;
  std::vector<absl::Status> hops;
  int finished = 0;
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

// Counts hops down to the last one.
class Again {
 public:
  Again(StreamScheduler& scheduler, int hops) : scheduler(scheduler), left_(hops) {}
  void Count() {
    MutexLock lock(&mu_);
    if (--left_ == 0) done_.NotifyAll();
  }
  void WaitForAll() {
    MutexLock lock(&mu_);
    while (left_ > 0) done_.Wait(&mu_);
  }
  StreamScheduler& scheduler;

 private:
  Mutex mu_;
  CondVar done_;
  int left_ ABSL_GUARDED_BY(mu_);
};

// Submits its next hop as soon as the last one is done.
class Singer : public ScheduledStream, public std::enable_shared_from_this<Singer> {
 public:
  Singer(Again& again, int slot, int hops) : again_(again), slot_(slot), left_(hops), input_(320), output_(320) {}
  void Sing() {
    HopTicket ticket{.ready = {.engine = 0}, .request = {}, .stream = shared_from_this()};
    ticket.request.slot = slot_;
    ticket.request.audio = input_;
    ticket.request.output = absl::MakeSpan(output_);
    again_.scheduler.Submit(std::move(ticket));
  }
  void ResetDone(const absl::Status&) override {}
  void HopDone(const absl::Status&, const HopTiming&) override {}
  void AfterHop() override {
    if (--left_ > 0) Sing();
    again_.Count();
  }
  int left() const { return left_; }

 private:
  Again& again_;
  const int slot_;
  int left_;
  std::vector<float> input_, output_;
};

class SchedulerTest : public ::testing::Test {
 protected:
  SimClock clock_;
  FakeEngine engine_{4};
  ServerMetrics metrics_;
  InlineExecutor crew_;
  DeviceLoad load_{{}, {absl::Milliseconds(20)}, clock_};
  EngineTable engines_{1};
  StreamScheduler scheduler_{{}, load_, clock_};
  DeviceServices services_{
      .scheduler = &scheduler_, .load = &load_, .crew = &crew_, .clock = &clock_, .engines = &engines_};
  const int number_ = *engines_.Add(engine_, metrics_.ForModel("violin"));
  DeviceWorker device_{services_};
  DeviceWork work_;
};

TEST_F(SchedulerTest, ResetsComeBeforeHops) {
  Stream one(0, 0.1f), two(1, 0.2f);
  scheduler_.Submit(one.Hop());
  scheduler_.Submit(ResetTicket{0, two.slot, {}, two.notes});
  ASSERT_TRUE(scheduler_.Next(&work_));
  EXPECT_EQ(work_.resets.size(), 1u);
  EXPECT_TRUE(work_.hops.empty());
  ASSERT_TRUE(scheduler_.Next(&work_));
  EXPECT_EQ(work_.hops.size(), 1u);
}

TEST_F(SchedulerTest, ReadyStreamsShareAStep) {
  Stream one(0, 0.1f), two(1, 0.2f);
  scheduler_.Submit(one.Hop());
  scheduler_.Submit(two.Hop());
  ASSERT_TRUE(scheduler_.Next(&work_));
  EXPECT_EQ(work_.hops.size(), 2u);
  EXPECT_EQ(scheduler_.waiting(), 0);
}

TEST_F(SchedulerTest, AFaultStaysWithItsStream) {
  Stream good(0, 0.1f), bad(1, kPoison);
  for (Stream* stream : {&good, &bad}) {
    work_ = {.engine = 0, .resets = {{0, stream->slot, {}, stream->notes}}, .hops = {}};
    device_.Do(work_);
  }
  scheduler_.Submit(good.Hop());
  scheduler_.Submit(bad.Hop());
  ASSERT_TRUE(scheduler_.Next(&work_));
  device_.Do(work_);
  EXPECT_TRUE(good.notes->hops.at(0).ok());
  EXPECT_EQ(bad.notes->hops.at(0).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(good.notes->finished, 1);
  EXPECT_EQ(bad.notes->finished, 1);
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

// An executor with many threads that keeps what it gets.
class KeepingExecutor : public Executor {
 public:
  explicit KeepingExecutor(int threads) : threads_(threads) {}
  void Post(std::function<void()> work) override { works.push_back(std::move(work)); }
  int threads() const override { return threads_; }
  std::vector<std::function<void()>> works;

 private:
  const int threads_;
};

// What a step gives is handed over in one piece per thread, not one per stream.
TEST_F(SchedulerTest, ATickIsHandedOverInOnePiecePerThread) {
  FakeEngine engine(16);
  KeepingExecutor crew(3);
  services_.crew = &crew;
  EngineTable engines(1);
  ASSERT_EQ(*engines.Add(engine, metrics_.ForModel("violin")), 0);
  services_.engines = &engines;
  DeviceWorker device(services_);
  std::vector<std::unique_ptr<Stream>> streams;
  for (int slot = 0; slot < 16; ++slot) {
    ASSERT_TRUE(engine.Reset(slot, {}).ok());
    streams.push_back(std::make_unique<Stream>(slot, 0.1f));
    scheduler_.Submit(streams.back()->Hop());
  }
  ASSERT_TRUE(scheduler_.Next(&work_));
  device.Do(work_);
  EXPECT_EQ(crew.works.size(), 3u);
  for (const auto& work : crew.works) work();
  for (const auto& stream : streams) EXPECT_EQ(stream->notes->finished, 1);
}

// Theorem: with any number of workers, each ticket is taken once and none is forgotten, and everybody stops.
TEST_F(SchedulerTest, WorkersShareTheQueue) {
  constexpr int kStreams = 64, kHops = 50;
  FakeEngine engine(kStreams);
  EngineTable engines(3);
  ASSERT_EQ(*engines.Add(engine, metrics_.ForModel("violin")), 0);
  services_.engines = &engines;
  Again again(scheduler_, kStreams * kHops);
  std::vector<std::shared_ptr<Singer>> singers;
  {
    DeviceThreads devices(3, services_);
    for (int slot = 0; slot < kStreams; ++slot) {
      ASSERT_TRUE(engine.Reset(slot, {}).ok());
      singers.push_back(std::make_shared<Singer>(again, slot, kHops));
      singers.back()->Sing();
    }
    again.WaitForAll();
    scheduler_.Stop();
  }
  for (const auto& singer : singers) EXPECT_EQ(singer->left(), 0);
  EXPECT_EQ(scheduler_.waiting(), 0);
}

}  // namespace
}  // namespace ddsp::server
