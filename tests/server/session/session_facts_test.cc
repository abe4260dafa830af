// What a session tells of itself, and whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/session/session_tally.h"
#include "tests/server/support/session_harness.h"

namespace ddsp::server {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary

TEST(SessionTally, QuantilesAreOfTheLastBlocks) {
  SessionTally tally;
  EXPECT_EQ(tally.Latency(0.99), absl::ZeroDuration());
  for (int i = 0; i < 1000; ++i) tally.CountBlock(absl::Seconds(9), true, true);
  for (int i = 0; i < SessionTally::kRemembered; ++i) tally.CountBlock(absl::Milliseconds(i), false, false);
  EXPECT_EQ(tally.Latency(0.5), absl::Milliseconds(64));
  EXPECT_EQ(tally.Latency(0.99), absl::Milliseconds(126));
  EXPECT_EQ(tally.Latency(1), absl::Milliseconds(127));
  EXPECT_EQ(tally.blocks(), 1000 + SessionTally::kRemembered);
  EXPECT_EQ(tally.late(), 1000);
  EXPECT_EQ(tally.underruns(), 1000);
}

class Notes : public SessionJournal {
 public:
  void Started(const SessionFacts& facts) override { started.push_back(facts); }
  void Playing(const SessionFacts&) override {}
  void Ended(const SessionFacts& facts, const absl::Status& status) override {
    ended.push_back(facts);
    statuses.push_back(status);
  }
  std::vector<SessionFacts> started, ended;
  std::vector<absl::Status> statuses;
};

// A caller whose session somebody listens to.
class Heard {
 public:
  Heard() {
    services_.journal = &notes;
    session = std::make_shared<Session>(services_, &outlet, SessionOrigin{.peer = "ipv4:1.2.3.4:5", .request_id = "r"});
    outlet.session = session.get();
    house.roster.Add(session);
  }
  ~Heard() {
    session->OnGone();
    house.RunDevice();
    session->Detach();
    house.roster.Remove(session.get());
  }
  void Send(const v1::StreamSessionRequest& request) {
    session->OnRequest(request);
    house.RunDevice();
  }

  House house;
  Notes notes;
  FakeOutlet outlet;
  std::shared_ptr<Session> session;

 private:
  SessionServices services_ = house.services();
};

TEST(SessionFacts, BeforeTheConfigThereIsAPeer) {
  Heard heard;
  heard.house.clock.Advance(absl::Seconds(2));
  const SessionFacts facts = heard.session->Facts();
  EXPECT_EQ(facts.state, SessionState::kAwaitingConfig);
  EXPECT_EQ(facts.origin.peer, "ipv4:1.2.3.4:5");
  EXPECT_EQ(facts.age, absl::Seconds(2));
  EXPECT_EQ(facts.model, "");
}

TEST(SessionFacts, OfASessionThatPlays) {
  Heard heard;
  heard.Send(Request(FloatConfig("violin", 16000)));
  const std::vector<float> second(16000, 0.1f);
  heard.Send(AudioRequest(0, 0, second));
  heard.house.clock.Advance(absl::Seconds(1));
  const SessionFacts facts = heard.session->Facts();
  EXPECT_EQ(facts.state, SessionState::kLive);
  EXPECT_EQ(facts.model, "violin/1");
  EXPECT_EQ(facts.input_format.sample_rate, 16000);
  EXPECT_EQ(facts.input_samples, 16000);
  EXPECT_GT(facts.output_samples, 14000);
  EXPECT_GT(facts.output_blocks, 40);
  EXPECT_EQ(facts.latency_p99, absl::ZeroDuration()) << "the clock stood still";
  EXPECT_EQ(facts.idle, absl::Seconds(1));
}

TEST(SessionJournal, HearsOfBeginAndEndOnce) {
  Notes notes;
  {
    Heard heard;
    heard.Send(Request(FloatConfig()));
    heard.session->OnHalfClose();
    heard.house.RunDevice();
    heard.session->End(MakeError(Reason::kServerDraining, "too late"));
    notes = heard.notes;
  }
  ASSERT_EQ(notes.started.size(), 1u);
  ASSERT_EQ(notes.ended.size(), 1u);
  EXPECT_TRUE(notes.ended[0].started);
  EXPECT_TRUE(notes.statuses[0].ok());
  EXPECT_EQ(notes.ended[0].id, notes.started[0].id);
}

// In the words of the metrics.
TEST(SessionJournal, HearsHowItEnded) {
  Heard ends, stays, moves;
  v1::SessionConfig snapshots = FloatConfig();
  snapshots.mutable_snapshot_interval()->set_seconds(1);
  ends.Send(Request(FloatConfig()));
  ends.session->OnHalfClose();
  ends.house.RunDevice();
  stays.Send(Request(FloatConfig()));
  stays.house.roster.Drain();
  stays.session->End(MakeError(Reason::kServerDraining, "the time is up"));
  moves.Send(Request(snapshots));
  moves.house.roster.Drain();
  EXPECT_EQ(ends.notes.ended.at(0).end, "client_close");
  EXPECT_EQ(stays.notes.ended.at(0).end, "drained");
  EXPECT_EQ(moves.notes.ended.at(0).end, "migrated");
}

TEST(SessionJournal, HearsOfWhoWasRefused) {
  Heard heard;
  heard.Send(Request(FloatConfig("kazoo")));
  EXPECT_TRUE(heard.notes.started.empty());
  ASSERT_EQ(heard.notes.ended.size(), 1u);
  EXPECT_FALSE(heard.notes.ended[0].started);
  EXPECT_EQ(heard.notes.ended[0].end, "");
  EXPECT_EQ(ReasonOf(heard.notes.statuses[0]), "MODEL_NOT_FOUND");
}

}  // namespace
}  // namespace ddsp::server
