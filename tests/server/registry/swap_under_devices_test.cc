// Versions come and go under device workers that step their engines.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <thread>

#include "server/registry/hosting.h"
#include "server/registry/registry.h"
#include "server/scheduler/device_worker.h"
#include "tests/server/support/fake_engine.h"

namespace ddsp::server {
namespace {

using ddsp::testing::FakeEngine;

// One thread that does what it is given.
class Helper : public Executor {
 public:
  Helper() : thread_([this] { Run(); }) {}
  ~Helper() override {
    {
      const MutexLock lock(&mu_);
      over_ = true;
      changed_.NotifyAll();
    }
    thread_.join();
  }
  void Post(std::function<void()> work) override {
    const MutexLock lock(&mu_);
    works_.push_back(std::move(work));
    changed_.NotifyAll();
  }
  int threads() const override { return 1; }

 private:
  std::function<void()> Next() {
    const MutexLock lock(&mu_);
    while (works_.empty() && !over_) changed_.Wait(&mu_);
    if (works_.empty()) return nullptr;
    std::function<void()> work = std::move(works_.front());
    works_.pop_front();
    return work;
  }
  void Run() {
    while (const std::function<void()> work = Next()) work();
  }

  Mutex mu_;
  CondVar changed_;
  std::deque<std::function<void()>> works_ ABSL_GUARDED_BY(mu_);
  bool over_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

// Plays a few hops of a constant, and gives its slot back from the helper's thread, as sessions do.
class Player : public ScheduledStream, public std::enable_shared_from_this<Player> {
 public:
  Player(StreamScheduler& scheduler, Helper& helper, SlotLease lease, float value, std::function<void()> ended)
      : scheduler_(scheduler),
        helper_(helper),
        lease_(std::move(lease)),
        value_(value),
        input_(320, value),
        output_(320),
        ended_(std::move(ended)) {}

  void Begin() { scheduler_.Submit(ResetTicket{lease_.voice().engine_index, lease_.slot(), {}, shared_from_this()}); }
  void ResetDone(const absl::Status& status) override {
    EXPECT_TRUE(status.ok());
    helper_.Post([self = shared_from_this()] { self->Submit(); });
  }
  void HopDone(const absl::Status& status, const HopTiming&) override { EXPECT_TRUE(status.ok()); }
  void AfterHop() override {
    // The engine is silent for a while, and then gives back what came in.
    for (const float sample : output_) EXPECT_TRUE(sample == 0 || sample == value_);
    if (++hops_ < 6) return Submit();
    EXPECT_EQ(output_.back(), value_);
    lease_.Release();
    ended_();
  }

 private:
  void Submit() {
    HopTicket ticket{.ready = {.engine = lease_.voice().engine_index}, .request = {}, .stream = shared_from_this()};
    ticket.request.slot = lease_.slot();
    ticket.request.audio = input_;
    ticket.request.output = absl::MakeSpan(output_);
    scheduler_.Submit(std::move(ticket));
  }

  StreamScheduler& scheduler_;
  Helper& helper_;
  SlotLease lease_;
  const float value_;
  std::vector<float> input_, output_;
  const std::function<void()> ended_;
  int hops_ = 0;
};

// Theorem: an engine that is taken away after its last session was closed out is touched by no worker any more, though
// workers and engine table share no lock; whoever plays is heard to the end. The same number is used again and again.
TEST(SwapUnderDevices, NobodyStepsWhatIsGone) {
  constexpr int kVersions = 60, kPlayers = 6;
  const Clock& clock = Clock::Steady();
  ServerMetrics metrics;
  EngineTable engines(/*workers=*/2, /*most=*/4);
  DeviceLoad load({.workers = 2}, {}, clock);
  Hosting hosting(engines, load, metrics, clock);
  Registry registry({}, std::make_unique<FakeEngine>(1));
  StreamScheduler scheduler({.max_wait = absl::ZeroDuration()}, load, clock);
  std::atomic<int> played = 0, playing = 0;
  std::atomic<bool> over = false;
  {
    Helper helper;
    DeviceThreads devices(
        2, {.scheduler = &scheduler, .load = &load, .crew = &helper, .clock = &clock, .engines = &engines});
    std::thread players([&] {
      while (!over) {
        if (playing >= kPlayers) {
          std::this_thread::yield();
          continue;
        }
        const auto voice = registry.Resolve("kazoo");
        if (!voice.ok()) continue;
        std::optional<VoicePin> pin = VoicePin::Take(*voice);
        if (!pin.has_value()) continue;
        std::optional<SlotLease> lease = SlotLease::Take(*std::move(pin), [] {});
        if (!lease.has_value()) continue;
        ++playing;
        std::make_shared<Player>(scheduler, helper, *std::move(lease), 0.25f, [&] { ++played, --playing; })->Begin();
      }
    });
    std::shared_ptr<HostedVoice> old;
    std::atomic<int> gone = 0;
    for (int version = 1; version <= kVersions; ++version) {
      const auto voice = std::make_shared<HostedVoice>("kazoo", version, std::make_unique<FakeEngine>(kPlayers));
      ASSERT_TRUE(hosting.Begin(*voice).ok());
      registry.SetRoutes("kazoo", {.serving = {{version, voice}}, .absent = {}, .aliases = {}});
      const int before = played;
      if (old != nullptr) {
        Mutex mu;
        CondVar drained;
        bool is_drained = false;
        const bool nobody_in = old->Close([&] {
          const MutexLock lock(&mu);
          is_drained = true;
          drained.NotifyAll();
        });
        {
          const MutexLock lock(&mu);
          while (!nobody_in && !is_drained) drained.Wait(&mu);
        }
        hosting.End(*old);
        ++gone;
      }
      while (played == before) std::this_thread::yield();  // somebody has played it
      old = voice;
    }
    over = true;
    players.join();
    while (playing > 0) std::this_thread::yield();
    EXPECT_EQ(gone, kVersions - 1);
    scheduler.Stop();
  }
  EXPECT_GE(played, kVersions);
}

}  // namespace
}  // namespace ddsp::server
