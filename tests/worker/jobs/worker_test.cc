#include "worker/jobs/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/worker/jobs/fake_job_server.h"

namespace ddsp::worker {
namespace {

using ddsp::testing::FakeBlobDepot;
using ddsp::testing::FakeJobServer;
using ddsp::testing::MakeLeasedJob;
using ::testing::ElementsAre;

v1::JobSpec Features() {
  v1::JobSpec spec;
  spec.mutable_features();
  return spec;
}

// Calls `started`, then works until told to stop, or not at all.
class TestRunner : public JobRunner {
 public:
  explicit TestRunner(std::function<void()> started = {}) : started_(std::move(started)) {}
  absl::StatusOr<v1::JobResult> Run(const JobContext& context) const override {
    if (!started_) return v1::JobResult();
    started_();
    while (!context.stop.WaitFor(absl::Hours(1))) {
    }
    return context.stop.status();
  }

 private:
  const std::function<void()> started_;
};

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() {
    options_.name = "host:1";
    options_.kinds = {"features"};
    options_.claim.poll = options_.claim.first_pause = options_.claim.longest_pause = absl::Milliseconds(1);
    options_.claim.exit_when_idle = true;
    runners_["features"] = std::make_unique<TestRunner>();
  }

  Worker MakeWorker() {
    return Worker(options_, runners_,
                  {server_, *work_dir_, [](StopToken&) { return std::make_unique<FakeBlobDepot>(); }});
  }

  const std::unique_ptr<WorkDir> work_dir_ = WorkDir::Open(::testing::TempDir() + "/worker_test").value();
  FakeJobServer server_;
  WorkerOptions options_;
  RunnerTable runners_;
};

TEST_F(WorkerTest, DoesWhatWaitsAndEndsWhenIdle) {
  server_.waiting = {MakeLeasedJob("a", Features()), MakeLeasedJob("b", Features())};
  EXPECT_EQ(MakeWorker().Run(), ExitCode::kOk);
  EXPECT_THAT(server_.farewells(), ElementsAre("complete", "complete"));
  ASSERT_EQ(server_.claims().size(), 3);
  EXPECT_EQ(server_.claims()[0].worker(), "host:1");
  EXPECT_THAT(server_.claims()[0].kinds(), ElementsAre("features"));
}

TEST_F(WorkerTest, WaitsForAServerThatIsAway) {
  server_.claim_answers = {absl::UnavailableError("x"), absl::DeadlineExceededError("x"), absl::OkStatus()};
  server_.waiting = {MakeLeasedJob("a", Features())};
  EXPECT_EQ(MakeWorker().Run(), ExitCode::kOk);
  EXPECT_THAT(server_.farewells(), ElementsAre("complete"));
}

TEST_F(WorkerTest, EndsWhereThereAreNoJobsAtAll) {
  server_.claim_answers = {absl::UnimplementedError("no jobs")};
  EXPECT_EQ(MakeWorker().Run(), ExitCode::kFailure);
}

TEST_F(WorkerTest, HandsItsJobBackWhenStopped) {
  server_.waiting = {MakeLeasedJob("a", Features()), MakeLeasedJob("b", Features())};
  Worker* running = nullptr;
  std::thread stopper;
  runners_["features"] = std::make_unique<TestRunner>([&] { stopper = std::thread([&] { running->Stop(); }); });
  Worker worker = MakeWorker();
  running = &worker;
  EXPECT_EQ(worker.Run(), ExitCode::kOk);
  stopper.join();
  EXPECT_THAT(server_.farewells(), ElementsAre("release"));
  EXPECT_EQ(server_.claims().size(), 1) << "no other job is taken";
}

TEST_F(WorkerTest, EndsAtOnceWhenStoppedWhileIdle) {
  options_.claim.exit_when_idle = false;
  options_.claim.poll = absl::Hours(1);
  Worker worker = MakeWorker();
  std::thread stopper([&] { worker.Stop(); });
  EXPECT_EQ(worker.Run(), ExitCode::kOk);
  stopper.join();
}

TEST_F(WorkerTest, SaysHowItsOneJobEnded) {
  options_.claim.job = "jobs/a";
  server_.waiting = {MakeLeasedJob("a", Features())};
  server_.job.set_state(v1::JOB_STATE_FAILED);
  EXPECT_EQ(MakeWorker().Run(), ExitCode::kJobFailed);
  EXPECT_EQ(server_.claims()[0].name(), "jobs/a");
}

TEST_F(WorkerTest, FailsAJobThatItDoesNotKnow) {
  v1::JobSpec spec;
  spec.mutable_render();
  server_.waiting = {MakeLeasedJob("a", spec)};
  EXPECT_EQ(MakeWorker().Run(), ExitCode::kOk);
  EXPECT_THAT(server_.farewells(), ElementsAre("fail: this worker does not know how to do that kind of job"));
}

TEST_F(WorkerTest, AbandonsAJobWithoutWaiting) {
  server_.waiting = {MakeLeasedJob("a", Features())};
  Worker* running = nullptr;
  runners_["features"] = std::make_unique<TestRunner>([&] {
    running->Abandon();  // as the signal thread does before it ends the process
    running->Stop();
  });
  Worker worker = MakeWorker();
  running = &worker;
  worker.Run();
  EXPECT_THAT(server_.farewells(), ElementsAre("release", "release"));
}

}  // namespace
}  // namespace ddsp::worker
