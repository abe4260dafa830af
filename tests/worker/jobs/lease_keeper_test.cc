// The lease thread against a server in this process. No test waits for a time: each waits for what it tests.
#include "worker/jobs/lease_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/worker/jobs/fake_job_server.h"

namespace ddsp::worker {
namespace {

using ddsp::testing::FakeJobServer;
using ddsp::testing::LeaseLostError;
using ddsp::testing::MakeLeasedJob;
using ::testing::HasSubstr;

LeaseKeeper::Options Options() {
  LeaseKeeper::Options options;
  options.claimed = Clock::Steady().Now();
  return options;
}

// Waits for the token, which the lease thread asks.
StopReason Await(StopToken& stop) {
  while (!stop.WaitFor(absl::Hours(1))) {
  }
  return stop.reason();
}

TEST(LeaseKeeper, TellsTheServerWhatTheJobSays) {
  FakeJobServer server;
  StopToken stop;
  LeaseKeeper lease(server, MakeLeasedJob("a"), stop, Options());
  lease.SetProgress(1, 2);
  lease.SetCheckpoint(1, "abc");
  lease.Say("hello");
  ASSERT_TRUE(lease.Flush(absl::Minutes(1)));
  v1::HeartbeatRequest heard;
  for (const v1::HeartbeatRequest& heartbeat : server.heartbeats()) heard.MergeFrom(heartbeat);
  EXPECT_EQ(heard.name(), "jobs/a");
  EXPECT_EQ(heard.lease_id(), "lease-of-a");
  EXPECT_EQ(heard.progress().done(), 1);
  EXPECT_EQ(heard.checkpoint().sha256(), "abc");
  EXPECT_THAT(heard.log_lines(), ::testing::ElementsAre("hello"));
}

TEST(LeaseKeeper, BeatsWhileNothingIsNew) {
  FakeJobServer server;
  StopToken stop;
  const LeaseKeeper lease(server, MakeLeasedJob("a"), stop, Options());
  server.AwaitHeartbeats(5);
  EXPECT_FALSE(stop.asked());
}

TEST(LeaseKeeper, PassesACancellationOn) {
  FakeJobServer server;
  server.cancel = true;
  StopToken stop;
  const LeaseKeeper lease(server, MakeLeasedJob("a"), stop, Options());
  EXPECT_EQ(Await(stop), StopReason::kCancelled);
}

TEST(LeaseKeeper, StopsTheJobWhenTheLeaseIsSomebodyElses) {
  FakeJobServer server;
  server.heartbeat_answers = {absl::OkStatus(), LeaseLostError()};
  StopToken stop;
  LeaseKeeper lease(server, MakeLeasedJob("a"), stop, Options());
  EXPECT_EQ(Await(stop), StopReason::kLeaseLost);
  EXPECT_FALSE(lease.Flush(absl::Minutes(1))) << "nobody hears it any more";
}

TEST(LeaseKeeper, GoesOnWhenTheServerIsAwayForAWhile) {
  FakeJobServer server;
  server.heartbeat_answers = {absl::UnavailableError("x"), absl::DeadlineExceededError("x"), absl::InternalError("x"),
                              absl::OkStatus()};
  StopToken stop;
  LeaseKeeper lease(server, MakeLeasedJob("a"), stop, Options());
  lease.SetCheckpoint(4, "abc");
  server.AwaitHeartbeats(2);
  EXPECT_FALSE(stop.asked());
  EXPECT_EQ(server.heartbeats()[0].checkpoint().sha256(), "abc");
}

TEST(LeaseKeeper, GivesUpWhenTheServerIsAwayForAsLongAsTheLease) {
  FakeJobServer server;
  server.heartbeat_answers = {absl::UnavailableError("x")};
  StopToken stop;
  LeaseKeeper lease(server, MakeLeasedJob("a", {}, absl::Milliseconds(40)), stop, Options());
  EXPECT_EQ(Await(stop), StopReason::kLeaseLost);
}

// A worker that was stopped for longer than its lease knows so before it says a word.
TEST(LeaseKeeper, KnowsThatALeaseIsOverByItsOwnClock) {
  FakeJobServer server;
  LeaseKeeper::Options options = Options();
  options.claimed -= absl::Seconds(11);
  StopToken stop;
  const LeaseKeeper lease(server, MakeLeasedJob("a"), stop, options);
  EXPECT_EQ(Await(stop), StopReason::kLeaseLost);
  EXPECT_TRUE(server.heartbeats().empty());
}

// One report that the server cannot take must not cost the job.
TEST(LeaseKeeper, DropsAReportThatIsRefused) {
  FakeJobServer server;
  server.heartbeat_answers = {ddsp::testing::ReasonedError(absl::StatusCode::kNotFound, "BLOB_NOT_FOUND"),
                              absl::OkStatus()};
  StopToken stop;
  std::vector<std::string> said;
  LeaseKeeper::Options options = Options();
  options.log = [&](const std::string& line) { said.push_back(line); };
  {
    LeaseKeeper lease(server, MakeLeasedJob("a"), stop, options);
    lease.SetCheckpoint(1, "gone");
    ASSERT_TRUE(lease.Flush(absl::Minutes(1)));
    EXPECT_FALSE(stop.asked());
  }
  EXPECT_THAT(said, ::testing::Contains(HasSubstr("jobs/a: the server refused a report: NOT_FOUND")));
}

TEST(LeaseKeeper, StopsAJobThatIsGone) {
  FakeJobServer server;
  server.heartbeat_answers = {ddsp::testing::ReasonedError(absl::StatusCode::kNotFound, "JOB_NOT_FOUND")};
  StopToken stop;
  const LeaseKeeper lease(server, MakeLeasedJob("a"), stop, Options());
  EXPECT_EQ(Await(stop), StopReason::kLeaseLost);
}

}  // namespace
}  // namespace ddsp::worker
