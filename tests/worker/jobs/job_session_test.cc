// A job from its lease to the farewell, with runners that do what the test says.
#include "worker/jobs/job_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "tests/worker/jobs/fake_job_server.h"

namespace ddsp::worker {
namespace {

using ddsp::testing::FakeBlobDepot;
using ddsp::testing::FakeJobServer;
using ddsp::testing::MakeLeasedJob;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FunctionRunner : public JobRunner {
 public:
  using Function = std::function<absl::StatusOr<v1::JobResult>(const JobContext&)>;
  explicit FunctionRunner(Function function) : function_(std::move(function)) {}
  absl::StatusOr<v1::JobResult> Run(const JobContext& context) const override { return function_(context); }

 private:
  const Function function_;
};

class JobSessionTest : public ::testing::Test {
 protected:
  void Run(FunctionRunner::Function function) {
    JobSession::Options options;
    options.lease.claimed = Clock::Steady().Now();
    options.flush_timeout = absl::Minutes(1);
    JobSession(server_, *work_dir_, depot_, stop_, options)
        .Run(MakeLeasedJob("a"), FunctionRunner(std::move(function)));
  }

  const std::unique_ptr<WorkDir> work_dir_ = WorkDir::Open(::testing::TempDir() + "/job_session_test").value();
  FakeJobServer server_;
  FakeBlobDepot depot_;
  StopToken stop_;
};

v1::JobResult SomeResult() {
  v1::JobResult result;
  result.add_files()->set_path("voice/model.textproto");
  return result;
}

TEST_F(JobSessionTest, CompletesWithTheResult) {
  std::string workspace;
  Run([&](const JobContext& context) {
    workspace = context.workspace;
    EXPECT_TRUE(std::filesystem::is_empty(workspace));
    context.report.Say("working");
    return SomeResult();
  });
  EXPECT_THAT(server_.farewells(), ElementsAre("complete"));
  EXPECT_EQ(server_.result().files(0).path(), "voice/model.textproto");
  EXPECT_THAT(server_.log(), ElementsAre("attempt 1 begins", "working")) << "all of it before the job is done";
  EXPECT_FALSE(std::filesystem::exists(workspace));
}

TEST_F(JobSessionTest, RepeatsTheResultUntilItIsTaken) {
  server_.farewell_answers = {absl::UnavailableError("away"), absl::UnavailableError("away"), absl::OkStatus()};
  Run([](const JobContext&) { return SomeResult(); });
  EXPECT_THAT(server_.farewells(), ElementsAre("complete", "complete", "complete"));
}

TEST_F(JobSessionTest, GivesUpAResultThatIsSomebodyElses) {
  server_.farewell_answers = {absl::UnavailableError("away"), ddsp::testing::LeaseLostError()};
  Run([](const JobContext&) { return SomeResult(); });
  EXPECT_THAT(server_.farewells(), ElementsAre("complete", "complete"));
}

TEST_F(JobSessionTest, FailsWhatTheServerWillNotTake) {
  server_.farewell_answers = {absl::NotFoundError("no blob"), absl::OkStatus()};
  Run([](const JobContext&) { return SomeResult(); });
  EXPECT_THAT(server_.farewells(), ElementsAre("complete", "fail: the result was refused: no blob"));
}

TEST_F(JobSessionTest, FailsWithoutNamingFoldersOfTheMachine) {
  Run([](const JobContext& context) -> absl::StatusOr<v1::JobResult> {
    return absl::InvalidArgumentError(context.workspace + "/recordings/a.wav: no audio");
  });
  EXPECT_THAT(server_.farewells(), ElementsAre("fail for good: recordings/a.wav: no audio"));
}

TEST_F(JobSessionTest, TriesLaterWhatTheMachineIsToBlameFor) {
  Run([](const JobContext&) -> absl::StatusOr<v1::JobResult> { return absl::ResourceExhaustedError("disk full"); });
  EXPECT_THAT(server_.farewells(), ElementsAre("fail: disk full"));
}

TEST_F(JobSessionTest, ReportsTheLastCheckpointBeforeItReleases) {
  Run([&](const JobContext& context) -> absl::StatusOr<v1::JobResult> {
    stop_.Ask(StopReason::kShutdown);
    context.report.SetCheckpoint(7, "abc");
    return context.stop.status();
  });
  EXPECT_THAT(server_.farewells(), ElementsAre("release"));
  v1::HeartbeatRequest heard;
  for (const v1::HeartbeatRequest& heartbeat : server_.heartbeats()) heard.MergeFrom(heartbeat);
  EXPECT_EQ(heard.checkpoint().step(), 7);
}

TEST_F(JobSessionTest, AcknowledgesACancellation) {
  server_.cancel = true;
  Run([&](const JobContext& context) -> absl::StatusOr<v1::JobResult> {
    while (!context.stop.WaitFor(absl::Hours(1))) {
    }
    return context.stop.status();
  });
  EXPECT_THAT(server_.farewells(), ElementsAre("fail: the job was cancelled"));
}

TEST_F(JobSessionTest, SaysNothingOfAJobThatIsSomebodyElses) {
  server_.heartbeat_answers = {ddsp::testing::LeaseLostError()};
  Run([&](const JobContext& context) {
    while (!context.stop.WaitFor(absl::Hours(1))) {
    }
    return SomeResult();  // too late
  });
  EXPECT_THAT(server_.farewells(), IsEmpty());
}

TEST_F(JobSessionTest, RefusesWhatItsDiskCannotHold) {
  v1::JobSpec spec;
  spec.mutable_train()->add_data()->set_size(int64_t{1} << 60);
  JobSession::Options options;
  options.lease.claimed = Clock::Steady().Now();
  JobSession(server_, *work_dir_, depot_, stop_, options)
      .Run(MakeLeasedJob("a", spec), FunctionRunner([](const JobContext&) { return SomeResult(); }));
  ASSERT_EQ(server_.farewells().size(), 1);
  EXPECT_THAT(server_.farewells()[0], ::testing::StartsWith("fail: the worker's disk has "));
}

}  // namespace
}  // namespace ddsp::worker
