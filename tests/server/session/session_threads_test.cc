// Sessions with all their threads, and a wire made of threads: what thread sanitizer looks at.
//
// Theorem: whoever else is on the device, and whoever leaves in the middle, a session that goes on gets exactly its own
// samples back, in order, and a clean end; afterwards every slot is free.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "core/base/mutex.h"
#include "tests/server/support/session_harness.h"

namespace ddsp::server {
namespace {

using ddsp::testing::AudioRequest;
using ddsp::testing::FloatConfig;
using ddsp::testing::FloatsOf;
using ddsp::testing::House;
using ddsp::testing::kVstFormat;
using ddsp::testing::Request;

// Reports each write as done from a thread of its own choosing, as a network does.
class ThreadedOutlet : public SessionOutlet {
 public:
  explicit ThreadedOutlet(Executor& network) : network_(network) {}

  void Write(v1::StreamSessionResponse message, bool) override {
    {
      MutexLock lock(&mu_);
      const std::vector<float> block = FloatsOf(message.audio().data());
      audio_.insert(audio_.end(), block.begin(), block.end());
    }
    network_.Post([session = session.lock()] { session->OnWritten(true); });
  }
  void Finish(const absl::Status& status) override {
    MutexLock lock(&mu_);
    finished_ = status;
    changed_.NotifyAll();
  }
  void GiveUp() override {}

  absl::Status WaitForEnd() {
    MutexLock lock(&mu_);
    while (!finished_.has_value()) changed_.Wait(&mu_);
    return *finished_;
  }
  std::vector<float> audio() {
    MutexLock lock(&mu_);
    return audio_;
  }

  std::weak_ptr<Session> session;

 private:
  Executor& network_;
  Mutex mu_;
  CondVar changed_;
  std::vector<float> audio_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::Status> finished_ ABSL_GUARDED_BY(mu_);
};

constexpr int kBlocks = 30, kBlock = 333;

class ThreadedHouse : public House {
 public:
  ThreadedHouse() : House(/*slots=*/8) {}
  ~ThreadedHouse() { scheduler.Stop(); }

  SessionServices threaded_services() {
    SessionServices services = House::services();
    services.crew = &crew;
    return services;
  }

  Crew crew{2}, network{2};
  DeviceThreads devices{2, device_services(&crew)};
};

// One client: sends blocks of `value`; leaves in the middle when `leaves`.
void RunClient(ThreadedHouse& house, float value, bool leaves) {
  ThreadedOutlet outlet(house.network);
  const auto session = std::make_shared<Session>(house.threaded_services(), &outlet);
  outlet.session = session;
  house.roster.Add(session);
  session->OnRequest(Request(FloatConfig()));
  for (int i = 0; i < kBlocks; ++i) {
    if (leaves && i == kBlocks / 2) session->OnGone();
    session->OnRequest(AudioRequest(i, i * kBlock, std::vector<float>(kBlock, value)));
  }
  session->OnHalfClose();
  const absl::Status end = outlet.WaitForEnd();
  session->Detach();
  house.roster.Remove(session.get());
  if (leaves) {
    EXPECT_EQ(end.code(), absl::StatusCode::kCancelled);
    return;
  }
  std::vector<float> expected(kBlocks * kBlock, value);
  expected.resize(expected.size() + kVstFormat.tail, 0.0f);
  EXPECT_EQ(end, absl::OkStatus());
  EXPECT_EQ(outlet.audio(), expected) << "client " << value;
}

// One whose session is in others' hands. Returns how it ended.
absl::Status RunDoomedClient(ThreadedHouse& house) {
  ThreadedOutlet outlet(house.network);
  const auto session = std::make_shared<Session>(house.threaded_services(), &outlet);
  outlet.session = session;
  house.roster.Add(session);
  v1::SessionConfig config = FloatConfig();
  config.mutable_snapshot_interval()->set_seconds(1);
  session->OnRequest(Request(config));
  for (int i = 0; i < kBlocks; ++i) {
    session->OnRequest(AudioRequest(i, i * kBlock, std::vector<float>(kBlock, 1.0f)));
  }
  session->OnHalfClose();
  const absl::Status end = outlet.WaitForEnd();
  session->Detach();
  house.roster.Remove(session.get());
  return end;
}

// Does something to all sessions, again and again, on a thread of its own.
class Meddler {
 public:
  Meddler(ThreadedHouse& house, std::function<void(Session&)> what)
      : thread_([this, &house, what = std::move(what)] {
          while (!done_) {
            for (const auto& session : house.roster.Sessions()) what(*session);
          }
        }) {}
  ~Meddler() {
    done_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

TEST(SessionThreads, EveryoneGetsTheirOwnSamplesAndEverySlotComesBack) {
  ThreadedHouse house;
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&house, i] { RunClient(house, static_cast<float>(i + 1), /*leaves=*/i % 3 == 2); });
  }
  std::thread keeper([&house] {
    for (int i = 0; i < 100; ++i) house.roster.CheckTimeouts(absl::UnixEpoch());
  });
  for (std::thread& client : clients) client.join();
  keeper.join();
  // A session that left gives its slot back when its last hop is done.
  for (int i = 0; i < 8; ++i) RunClient(house, 1.0f, /*leaves=*/false);
  EXPECT_TRUE(house.roster.WaitUntilEmpty(absl::ZeroDuration()));
}

// Operators and house-keeping come at any moment: while a voice is opened, between two hops, during a snapshot.
TEST(SessionThreads, WhoeverEndsASessionAndWhenItsSlotComesBack) {
  ThreadedHouse house;
  {
    const Meddler reader(house, [](Session& session) {
      session.Facts();
      session.CheckTimeouts(absl::UnixEpoch());
    });
    int kills = 0, drains = 0;
    const Meddler killer(house, [&kills](Session& session) {
      if (++kills % 64 == 0) session.End(MakeError(Reason::kSessionKilled, "an operator came"));
    });
    const Meddler drainer(house, [&drains](Session& session) {
      if (++drains % 64 == 0) session.NotifyDraining();
    });
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([&house] {
        for (int session = 0; session < 25; ++session) {
          EXPECT_THAT(ReasonOf(RunDoomedClient(house)),
                      ::testing::AnyOf("", "SESSION_KILLED", "SERVER_DRAINING", "SESSION_SLOTS_EXHAUSTED"));
        }
      });
    }
    for (std::thread& client : clients) client.join();
  }
  for (int i = 0; i < 8; ++i) RunClient(house, 1.0f, /*leaves=*/false);
  EXPECT_TRUE(house.roster.WaitUntilEmpty(absl::ZeroDuration()));
}

// What another thread might do while the voice is looked up and a slot taken.
class EndingHost : public SessionHost {
 public:
  explicit EndingHost(SessionHost& house) : house_(house) {}
  absl::StatusOr<SlotLease> Admit(const SessionPlan& plan) override {
    absl::StatusOr<SlotLease> lease = house_.Admit(plan);
    session->End(MakeError(Reason::kSessionKilled, "an operator came"));
    return lease;
  }

  Session* session = nullptr;

 private:
  SessionHost& house_;
};

TEST(SessionThreads, AnEndDuringItsOpeningFreesTheSlotAtOnce) {
  House house;
  EndingHost host(house.roster);
  SessionServices services = house.services();
  services.host = &host;
  ddsp::testing::FakeOutlet outlet;
  const auto session = std::make_shared<Session>(services, &outlet);
  outlet.session = host.session = session.get();
  session->OnRequest(Request(FloatConfig()));
  EXPECT_EQ(ReasonOf(*outlet.finished), "SESSION_KILLED");
  EXPECT_EQ(house.scheduler.waiting(), 0);
  EXPECT_EQ(house.registry->hosted()[0]->slots().free_slots(), 4);
  session->Detach();
}

}  // namespace
}  // namespace ddsp::server
