#include "client/sdk/resumable_session.h"

#include <deque>
#include <random>

#include "client/sdk/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/sdk/toy_session.h"

namespace ddsp::client {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

std::vector<float> Noise(int samples) {
  std::minstd_rand random(3);
  std::vector<float> noise(samples);
  for (float& sample : noise) sample = std::uniform_real_distribution<float>(-1, 1)(random);
  return noise;
}

// A client and its server in memory. What is under way between them is lost when the server is left.
class Wire {
 public:
  explicit Wire(const ToySettings& settings, StreamOptions options = {}, ResumeOptions resume = {})
      : settings_(settings), session(std::move(options), resume) {
    Connect();
  }

  void Connect() {
    ++connections;
    closed_ = false;
    to_client_.clear();
    to_server_.clear();
    server = std::make_unique<ToySession>(settings_);
    to_server_.push_back(session.Begin());
  }
  void Send() {
    while (const ResumableSession::Request request = session.NextToSend()) to_server_.push_back(*request);
  }
  // The server takes one message; false where there is none.
  bool StepServer() {
    Send();
    ToySession::Responses responses;
    if (!to_server_.empty()) {
      responses = server->Take(to_server_.front());
      to_server_.pop_front();
    } else if (session.all_sent() && !closed_) {
      closed_ = true;
      responses = server->Finish();
    } else {
      return false;
    }
    to_client_.insert(to_client_.end(), responses.begin(), responses.end());
    return true;
  }
  // The client takes one message; false where there is none.
  bool StepClient() {
    if (to_client_.empty()) return false;
    std::vector<StreamMessage> fresh;
    status.Update(session.Take(to_client_.front(), &fresh));
    to_client_.pop_front();
    for (const StreamMessage& message : fresh) {
      session.WasRead(message);
      if (const auto* audio = std::get_if<AudioBlock>(&message)) {
        answer.insert(answer.end(), audio->samples.begin(), audio->samples.end());
      } else if (const auto* event = std::get_if<StreamEvent>(&message)) {
        events.push_back(*event);
      } else {
        ++summaries;
      }
    }
    return true;
  }
  void Settle() {
    while (StepServer() || StepClient()) {
    }
  }
  void Tell(v1::StreamSessionResponse response) { to_client_.push_back(std::move(response)); }

 private:
  ToySettings settings_;
  std::deque<v1::StreamSessionRequest> to_server_;
  std::deque<v1::StreamSessionResponse> to_client_;
  bool closed_ = false;

 public:
  ResumableSession session;
  std::unique_ptr<ToySession> server;
  absl::Status status;
  std::vector<float> answer;
  std::vector<StreamEvent> events;
  int summaries = 0, connections = 0;
};

// The theorem: however messages interleave and whenever servers die or leave, the user reads what an undisturbed
// session gives, no server sees a block that is missing or repeated, or more than it granted.
TEST(ResumableSession, NothingIsLostOrRepeatedWheneverServersDie) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    std::minstd_rand random(seed + 1);
    const auto chance = [&](double p) { return std::uniform_real_distribution<double>(0, 1)(random) < p; };
    Wire wire({.input_credit = 1000, .output_block = 50, .latency = 30, .snapshot_every = seed % 3 == 0 ? 0 : 700},
              {.max_unread_samples = seed % 2 == 0 ? 0 : 200});
    const std::vector<float> input = Noise(6000);
    size_t written = 0;
    bool finished = false;
    for (int step = 0; wire.summaries == 0; ++step) {
      ASSERT_LT(step, 200000) << seed;
      if (wire.session.started() && written < input.size() && chance(0.3)) {
        const size_t count = std::min<size_t>(input.size() - written, 1 + random() % 300);
        written += *wire.session.Add(absl::MakeSpan(input).subspan(written, count));
      } else if (written == input.size() && !finished) {
        finished = true;
        ASSERT_TRUE(wire.session.Finish().ok());
      }
      if (chance(0.5)) wire.StepServer();
      if (chance(0.5)) wire.StepClient();
      if (wire.session.started() && step < 5000 && chance(0.02)) wire.Tell(wire.server->Snapshot(true));
      if (wire.session.left() || step == 30 || (step < 5000 && chance(0.03))) {
        EXPECT_EQ(wire.server->refusal(), "") << seed;
        wire.Connect();
      }
      ASSERT_TRUE(wire.status.ok()) << wire.status << ", seed " << seed;
    }
    EXPECT_EQ(wire.server->refusal(), "");
    EXPECT_EQ(wire.answer, ToyAnswer(input)) << seed;
    EXPECT_GT(wire.connections, 1);
  }
}

TEST(ResumableSession, ReplaysFromTheSnapshotOnly) {
  Wire wire({.output_block = 100, .latency = 0, .snapshot_every = 1000});
  wire.Settle();
  const std::vector<float> input = Noise(2500);
  for (int i = 0; i < 25; ++i) {
    ASSERT_EQ(*wire.session.Add(absl::MakeSpan(input).subspan(100 * i, 100)), 100);
    wire.Settle();
  }
  wire.Connect();
  EXPECT_TRUE(wire.session.from_snapshot());
  wire.Settle();
  EXPECT_EQ(wire.session.replayed_input(), 500);
  EXPECT_EQ(wire.session.repeated_output(), 500);
  EXPECT_EQ(wire.answer.size(), 2500);
}

// Going on from a place whose output never came would leave a hole.
TEST(ResumableSession, ASnapshotCountsOnceItsOutputHasCome) {
  Wire wire({.output_block = 100, .latency = 0});
  wire.Settle();
  ASSERT_TRUE(wire.session.Add(Noise(100)).ok());
  while (wire.StepServer()) {
  }
  // The server's answer is on its way; a snapshot overtakes it.
  const v1::StreamSessionResponse early = wire.server->Snapshot(true);
  std::vector<StreamMessage> fresh;
  ASSERT_TRUE(wire.session.Take(early, &fresh).ok());
  EXPECT_FALSE(wire.session.left());
  wire.Settle();
  EXPECT_TRUE(wire.session.left());
}

TEST(ResumableSession, AFlushIsAnsweredOnceWhoeverAnswersIt) {
  Wire wire({.latency = 10});
  wire.Settle();
  ASSERT_TRUE(wire.session.Add(Noise(500)).ok());
  ASSERT_TRUE(wire.session.Flush(5).ok());
  while (wire.StepServer()) {
  }
  wire.Connect();  // before the answer came
  wire.Settle();
  ASSERT_THAT(wire.events, SizeIs(1));
  EXPECT_EQ(wire.events[0].flush_id, 5);
  EXPECT_EQ(wire.answer.size(), 490);
  wire.Connect();
  wire.Settle();
  EXPECT_THAT(wire.events, SizeIs(1));
}

TEST(ResumableSession, AnotherVersionOfTheVoiceIsNoSubstitute) {
  Wire wire({.version = "1"});
  wire.Settle();
  ASSERT_TRUE(wire.session.Add(Noise(500)).ok());
  v1::StreamSessionRequest config = wire.session.Begin();
  EXPECT_EQ(config.config().model(), "toy/1");
  ToySession other({.version = "2"});
  std::vector<StreamMessage> fresh;
  const absl::Status status = wire.session.Take(other.Take(config)[0], &fresh);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("toy/2"));
}

TEST(ResumableSession, InputIsBounded) {
  ResumeOptions resume;
  resume.max_replay_bytes = 3000;
  Wire wire({}, {}, resume);
  wire.Settle();
  ASSERT_TRUE(wire.session.Add(Noise(500)).ok());
  wire.Settle();
  EXPECT_EQ(ReasonOf(wire.session.Add(Noise(500)).status()), "REPLAY_TOO_LONG");
}

TEST(ResumableSession, WhileNobodyPlaysInputWaitsUpToItsLimit) {
  ResumeOptions resume;
  resume.max_unsent = absl::Seconds(1);
  Wire wire({}, {}, resume);
  wire.Settle();
  wire.session.Begin();
  EXPECT_EQ(*wire.session.Add(Noise(10000)), 10000);
  EXPECT_EQ(*wire.session.Add(Noise(10000)), 6000);
  EXPECT_FALSE(wire.session.has_room());
}

TEST(ResumableSession, AsksForSnapshotsAsOftenAsItIsTold) {
  ResumeOptions resume;
  resume.snapshot_interval = absl::Milliseconds(1250);
  ResumableSession session({.model = "violin"}, resume);
  const v1::SessionConfig config = session.Begin().config();
  EXPECT_EQ(config.model(), "violin");
  EXPECT_EQ(config.snapshot_interval().seconds(), 1);
  EXPECT_EQ(config.snapshot_interval().nanos(), 250'000'000);
  EXPECT_TRUE(config.resume().empty());
}

}  // namespace
}  // namespace ddsp::client
