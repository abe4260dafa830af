// Servers whose clock is wrong, and a database that is restarted, under jobs that are under way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/faults/fault_rig.h"
#include "tests/server/jobs/test_database.h"

namespace ddsp::testing {
namespace {

using ::testing::SizeIs;

constexpr int64_t kYear = 365 * 24 * 3600;

std::vector<std::string> ShortLeases() { return {"--job-lease-secs=4", "--job-heartbeat-secs=0.2"}; }

std::string SubmitFeatures(FaultRig& rig, int recordings) {
  v1::CreateJobRequest request;
  *request.mutable_spec() = rig.FeaturesOf(recordings);
  return rig.jobs().Create(request).value().name();
}

// A server that was started on a machine with a wrong clock, killed, and started with another: jobs that wait, jobs that
// run and jobs that are to be tried again go on, whichever of the clocks is ahead.
class ClockFaultsTest : public ::testing::TestWithParam<std::pair<int64_t, int64_t>> {};

TEST_P(ClockFaultsTest, JobsGoOnThoughTheClockJumps) {
  const auto [before, after] = GetParam();
  FaultRig rig(ShortLeases(), before);
  const std::string running = SubmitFeatures(rig, kManyRecordings), waiting = SubmitFeatures(rig, 1);
  {
    const auto worker = rig.StartWorker();
    ASSERT_TRUE(rig.UntilCheckpoint(running)) << worker->said();
    rig.KillServer();
    worker->Kill();
  }
  rig.StartServer(after);
  const auto worker = rig.StartWorker();
  for (const std::string& name : {running, waiting}) {
    const v1::Job job = rig.Await(name);
    EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED) << job.error() << "\n" << worker->said();
  }
  EXPECT_THAT(rig.Get(running).result().files(), SizeIs(kManyRecordings + 1)) << "tables and a report";
  EXPECT_THAT(rig.jobs().List({}).value().jobs(), SizeIs(2));
}

INSTANTIATE_TEST_SUITE_P(AheadAndBehind, ClockFaultsTest,
                         ::testing::Values(std::pair(kYear, 0), std::pair(0, kYear), std::pair(7 * 3600, 0)));

// The database of the jobs is killed and comes back, while a worker works and a client waits.
TEST(DatabaseFaultsTest, TheDatabaseIsRestartedWhileAJobRuns) {
  if (server::SharedPostgres() == nullptr) GTEST_SKIP() << "Debian's package postgresql is not installed";
  std::vector<std::string> flags = ShortLeases();
  flags.push_back("--job-database=" + server::SharedPostgres()->NewDatabase());
  FaultRig rig(flags);
  const std::string name = SubmitFeatures(rig, kManyRecordings);
  const auto worker = rig.StartWorker();
  for (int restart = 0; restart < 3; ++restart) {
    const int64_t step = rig.Get(name).checkpoint().step();
    ASSERT_TRUE(server::SharedPostgres()->Restart().ok());
    const v1::Job job = rig.Get(name);
    EXPECT_GE(job.checkpoint().step(), step) << "what was acknowledged is there";
    if (job.done()) break;
    ASSERT_TRUE(rig.UntilJob(name, [&](const v1::Job& now) { return now.done() || now.checkpoint().step() > step; }))
        << worker->said();
  }
  const v1::Job job = rig.Await(name);
  ASSERT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED) << job.error() << "\n" << rig.JobLog(name);
  EXPECT_THAT(job.result().files(), SizeIs(kManyRecordings + 1));
}

}  // namespace
}  // namespace ddsp::testing
