// Sessions are sent away: a version goes out of service under them, or the server cannot keep up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/session/session.h"
#include "tests/server/support/session_harness.h"

namespace ddsp::server {
namespace {

using ddsp::testing::AudioRequest;
using ddsp::testing::Caller;
using ddsp::testing::FloatConfig;
using ddsp::testing::FloatsOf;
using ddsp::testing::House;
using ddsp::testing::Ramp;
using ddsp::testing::Request;
using ddsp::testing::Resumed;
using ddsp::testing::WithSnapshots;
using ddsp::testing::WithTail;
using ::testing::HasSubstr;
using Response = v1::StreamSessionResponse;

SessionLimits StayFor(absl::Duration longest) {
  SessionLimits limits;
  limits.version_drain_timeout = longest;
  limits.idle_timeout = absl::Hours(1);
  return limits;
}

v1::SessionConfig LastSnapshotOnly() { return WithSnapshots(FloatConfig(), /*seconds=*/3600); }

class RetiredVersion : public ::testing::Test {
 protected:
  void Retire() {
    voice_.Close([] {});
  }
  // House-keeping, once a second.
  void Pass(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      house_.clock.Advance(absl::Seconds(1));
      house_.roster.CheckTimeouts(house_.clock.Now());
    }
  }

  House house_{4, StayFor(absl::Seconds(30))};
  HostedVoice& voice_ = *house_.registry->hosted()[0];
};

TEST_F(RetiredVersion, KeepsItsSessionsForAsLongAsTheyMayStay) {
  Caller caller(house_);
  caller.Open(FloatConfig());
  Pass(100);
  Retire();
  Pass(1);
  EXPECT_EQ(caller.outlet.messages.back().event().kind(), v1::SessionEvent::DRAINING);
  EXPECT_THAT(caller.outlet.messages.back().event().detail(), HasSubstr("violin/1 goes out of service"));
  Pass(29);
  caller.Sing(Ramp(5000));
  EXPECT_FALSE(caller.outlet.finished.has_value());
  Pass(1);
  EXPECT_EQ(caller.Count(Response::kEvent), 1);
  EXPECT_EQ(caller.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(caller.reason(), "VERSION_RETIRED");
  EXPECT_EQ(caller.metadata("model"), "violin");
  EXPECT_EQ(caller.metadata("version"), "1");
  EXPECT_EQ(caller.metadata("input_samples"), "5000");
  EXPECT_EQ(RetryDelayOf(*caller.outlet.finished), absl::ZeroDuration());
  EXPECT_EQ(voice_.slots().free_slots(), 4);
  EXPECT_EQ(voice_.pins(), 0) << "its memory can be freed";
  EXPECT_THAT(house_.metrics.Text(), HasSubstr("ddsp_sessions_ended_total{model=\"violin\",reason=\"drained\"} 1"));
}

// Where another server still has the version, nothing is heard.
TEST_F(RetiredVersion, SendsThoseWithSnapshotsElsewhere) {
  const std::vector<float> song = Ramp(9000);
  House other;
  Caller before(house_), after(other);
  before.Open(LastSnapshotOnly());
  before.Sing(absl::MakeSpan(song).first(5000));
  Retire();
  Pass(31);
  EXPECT_EQ(before.reason(), "VERSION_RETIRED");
  ASSERT_TRUE(before.outlet.messages.back().has_snapshot());
  const v1::SessionSnapshot snapshot = before.outlet.messages.back().snapshot();
  EXPECT_TRUE(snapshot.last());
  EXPECT_THAT(house_.metrics.Text(), HasSubstr("ddsp_sessions_ended_total{model=\"violin\",reason=\"migrated\"} 1"));
  after.Open(Resumed(LastSnapshotOnly(), snapshot));
  after.GoOn(snapshot.position());
  after.Sing(absl::MakeSpan(song).subspan(after.position));
  after.HalfClose();
  std::vector<float> audio = before.audio();
  const std::vector<float> rest = after.audio();
  audio.insert(audio.end(), rest.begin(), rest.end());
  EXPECT_EQ(audio, WithTail(song));
}

// Where nobody has it, whoever comes with the snapshot is told: the state of one version means nothing to another.
TEST_F(RetiredVersion, IsNotGoneOnWithHere) {
  Caller before(house_);
  before.Open(LastSnapshotOnly());
  before.Sing(Ramp(5000));
  Retire();
  house_.registry->SetRoutes("violin", {.serving = {}, .absent = {{1, "was unloaded"}}, .aliases = {}});
  Pass(31);
  Caller after(house_);
  after.Open(Resumed(LastSnapshotOnly(), before.outlet.messages.back().snapshot()));
  EXPECT_EQ(after.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(after.reason(), "STATE_LOST");
}

TEST_F(RetiredVersion, ThatComesBackKeepsItsSessions) {
  Caller caller(house_);
  caller.Open(FloatConfig());
  Retire();
  Pass(25);
  voice_.Open();
  Pass(25);
  Retire();
  Pass(25);
  EXPECT_FALSE(caller.outlet.finished.has_value());
  Pass(10);
  EXPECT_EQ(caller.reason(), "VERSION_RETIRED");
}

// A hop that does not come back from its device keeps a session from taking its last snapshot.
TEST_F(RetiredVersion, DoesNotWaitForEverForASnapshot) {
  Caller caller(house_);
  caller.Open(LastSnapshotOnly());
  caller.Send(AudioRequest(0, 0, Ramp(2000)));
  Retire();
  Pass(34);
  EXPECT_FALSE(caller.outlet.finished.has_value());
  Pass(2);
  EXPECT_EQ(caller.reason(), "VERSION_RETIRED");
  EXPECT_EQ(caller.Count(Response::kSnapshot), 0);
  house_.RunDevice();
  EXPECT_EQ(voice_.pins(), 0);
}

TEST_F(RetiredVersion, EndsTailsThatNobodyReads) {
  Caller caller(house_);
  caller.Open(FloatConfig());
  caller.Send(AudioRequest(0, 0, Ramp(2000)));
  caller.session->OnHalfClose();  // the device stands still
  Retire();
  Pass(31);
  EXPECT_EQ(caller.reason(), "VERSION_RETIRED");
  house_.RunDevice();
}

// ---------------------------------------------------------------- too slow for all

TEST(Shedding, SendsTheLastToComeAway) {
  House house;
  Caller first(house), second(house), third(house);
  for (Caller* caller : {&first, &second, &third}) {
    caller->Open(FloatConfig());
    caller->Sing(Ramp(1000));
    house.clock.Advance(absl::Milliseconds(1));
  }
  house.roster.Shed(2);
  EXPECT_FALSE(first.outlet.finished.has_value());
  for (Caller* caller : {&second, &third}) {
    EXPECT_EQ(caller->code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(caller->reason(), "SERVER_OVERLOADED");
    EXPECT_EQ(caller->metadata("input_samples"), "1000");
    EXPECT_EQ(RetryDelayOf(*caller->outlet.finished), absl::Seconds(1));
  }
  EXPECT_THAT(house.metrics.Text(), HasSubstr("ddsp_sessions_ended_total{model=\"violin\",reason=\"shed\"} 2"));
  EXPECT_THAT(house.metrics.Text(), HasSubstr("ddsp_sessions_shed_total 2"));
  house.roster.Shed(2);
  EXPECT_EQ(first.reason(), "SERVER_OVERLOADED") << "all that there are";
}

TEST(Shedding, PassesOverWhoCanWaitAndWhoLeavesAlready) {
  House house(4, StayFor(absl::Seconds(30)));
  v1::SessionConfig patient = FloatConfig();
  patient.set_qos(v1::QUALITY_OF_SERVICE_THROUGHPUT);
  Caller live(house), leaving(house), waiting(house);
  live.Open(FloatConfig());
  house.clock.Advance(absl::Milliseconds(1));
  leaving.Open(LastSnapshotOnly());
  waiting.Open(patient);
  EXPECT_EQ(house.roster.live(), 2);
  leaving.Send(AudioRequest(0, 0, Ramp(2000)));  // the device stands still
  house.roster.Shed(1);
  EXPECT_EQ(house.roster.live(), 1);
  house.roster.Shed(1);
  EXPECT_FALSE(leaving.outlet.finished.has_value()) << "its last snapshot is to come";
  EXPECT_EQ(live.reason(), "SERVER_OVERLOADED");
  EXPECT_FALSE(waiting.outlet.finished.has_value());
  house.RunDevice();
  EXPECT_EQ(leaving.reason(), "SERVER_OVERLOADED");
  EXPECT_TRUE(leaving.outlet.messages.back().snapshot().last());
}

TEST(Shedding, DoesNotWaitForEverForASnapshot) {
  House house(4, StayFor(absl::ZeroDuration()));
  Caller caller(house);
  caller.Open(LastSnapshotOnly());
  caller.Send(AudioRequest(0, 0, Ramp(2000)));
  house.roster.Shed(1);
  house.clock.Advance(absl::Seconds(4));
  house.roster.CheckTimeouts(house.clock.Now());
  EXPECT_FALSE(caller.outlet.finished.has_value());
  house.clock.Advance(absl::Seconds(1));
  house.roster.CheckTimeouts(house.clock.Now());
  EXPECT_EQ(caller.reason(), "SERVER_OVERLOADED");
  EXPECT_EQ(caller.Count(Response::kSnapshot), 0);
  house.RunDevice();
}

TEST(RetiredVersionForEver, KeepsItsSessionsUntilTheyEnd) {
  House house(4, StayFor(absl::ZeroDuration()));
  Caller caller(house);
  caller.Open(FloatConfig());
  house.registry->hosted()[0]->Close([] {});
  house.clock.Advance(absl::Minutes(50));
  house.roster.CheckTimeouts(house.clock.Now());
  caller.Sing(Ramp(5000));
  caller.HalfClose();
  EXPECT_EQ(caller.outlet.finished, absl::OkStatus());
  EXPECT_EQ(caller.Count(Response::kEvent), 1);  // of its idleness
}

}  // namespace
}  // namespace ddsp::server
