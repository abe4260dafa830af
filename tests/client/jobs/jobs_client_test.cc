// Calls about jobs through faults and restarts of the server.
#include "client/sdk/jobs_client.h"

#include <grpcpp/channel.h>

#include <thread>

#include "client/sdk/blob_transfer.h"
#include "client/sdk/channel.h"
#include "client/sdk/error.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/faulty_jobs.h"
#include "tests/client/support/jobs_server.h"

namespace ddsp::client {
namespace {

using ddsp::testing::JobsServer;

CallOptions Quick() {
  CallOptions options;
  options.retry.first_pause = options.retry.longest_pause = absl::Milliseconds(20);
  options.retry.give_up_after = absl::Minutes(2);
  return options;
}

// Uploads a file and asks for its features.
absl::StatusOr<v1::Job> Submit(const std::string& address, const std::string& request_id = "") {
  const ddsp::testing::TempDir folder;
  const std::string path = folder.path() + "/sound";
  RETURN_IF_ERROR(WriteFileAtomically(path, "sound"));
  const auto channel = MakeJobsChannel(address);
  ASSIGN_OR_RETURN(const Blob blob, BlobTransfer(channel, Quick()).UploadFile(path));
  v1::CreateJobRequest request;
  request.set_request_id(request_id);
  v1::JobFile* const file = request.mutable_spec()->mutable_features()->add_inputs();
  file->set_path("sound.wav");
  file->set_sha256(blob.sha256);
  file->set_size(blob.size);
  return JobsClient(channel, Quick()).Create(request);
}

v1::LeasedJob ClaimOne(JobsClient& worker) {
  v1::ClaimJobsRequest request;
  request.set_worker("test");
  request.add_kinds("features");
  const auto claimed = worker.Claim(request);
  EXPECT_TRUE(claimed.ok() && claimed->size() == 1) << claimed.status();
  return claimed->front();
}

void Beat(JobsClient& worker, const v1::LeasedJob& leased, int64_t done, const std::string& line = "") {
  v1::HeartbeatRequest request;
  request.set_name(leased.job().name());
  request.set_lease_id(leased.lease().id());
  request.mutable_progress()->set_done(done);
  request.mutable_progress()->set_total(10);
  if (!line.empty()) request.add_log_lines(line);
  const auto answer = worker.Heartbeat(request);
  EXPECT_TRUE(answer.ok()) << answer.status();
}

void Complete(JobsClient& worker, const v1::LeasedJob& leased) {
  v1::CompleteJobRequest request;
  request.set_name(leased.job().name());
  request.set_lease_id(leased.lease().id());
  const auto job = worker.Complete(request);
  EXPECT_TRUE(job.ok()) << job.status();
}

// Property: whichever call is lost, one job is there in the end.
TEST(JobsClient, CreatesOneJobWhateverIsLost) {
  for (const Fault fault : {Fault::kRefused, Fault::kAnswerLost}) {
    FaultyJobs server([&](int, const std::string& method) {
      static int creates = 0;
      return method == "Create" && creates++ % 3 != 2 ? fault : Fault::kNone;
    });
    const auto job = Submit(server.address());
    ASSERT_TRUE(job.ok()) << job.status();
    EXPECT_EQ(server.calls("Create"), 3);
    const auto page = server.jobs().List({});
    ASSERT_EQ(page->jobs.size(), 1);
    EXPECT_EQ("jobs/" + page->jobs[0].id, job->name());
  }
}

TEST(JobsClient, ErrorsThatDoNotPassAreNotRepeated) {
  FaultyJobs server([](int, const std::string&) { return Fault::kNone; });
  JobsClient jobs(MakeJobsChannel(server.address()), Quick());
  EXPECT_EQ(ReasonOf(jobs.Get("jobs/none").status()), "JOB_NOT_FOUND");
  EXPECT_EQ(ReasonOf(jobs.Create({}).status()), "INVALID_JOB_REQUEST");
  EXPECT_EQ(server.calls("Get"), 1);
  EXPECT_EQ(server.calls("Create"), 1);
  EXPECT_TRUE(absl::IsUnimplemented(jobs.Cancel("jobs/none").status()));
}

TEST(JobsClient, NobodyThereIsFoundOutSoon) {
  SimClock clock;
  CallOptions options;
  options.clock = &clock;
  options.pause = [&](absl::Duration pause) { clock.Advance(pause); };
  JobsClient jobs(MakeJobsChannel("127.0.0.1:1"), options);
  EXPECT_TRUE(absl::IsUnavailable(jobs.Get("jobs/x").status()));
  EXPECT_LE(clock.Now() - absl::UnixEpoch(), absl::Seconds(5));
}

TEST(JobsClient, CancellationEndsACallAndAPause) {
  JobsServer server;
  Cancellation cancellation;
  CallOptions options = Quick();
  options.cancellation = &cancellation;
  const auto job = Submit(server.address());
  ASSERT_TRUE(job.ok()) << job.status();
  JobsClient jobs(MakeJobsChannel(server.address()), options);
  std::thread waiting(
      [&] { EXPECT_TRUE(absl::IsCancelled(jobs.Wait(job->name(), absl::InfiniteDuration()).status())); });
  cancellation.Cancel();
  waiting.join();
  JobsClient nobody(MakeJobsChannel("127.0.0.1:1"), options);
  EXPECT_TRUE(absl::IsCancelled(nobody.Get("jobs/x").status()));
}

TEST(JobsClient, WaitAnswersAtItsTimeout) {
  JobsServer server;
  JobsClient jobs(MakeJobsChannel(server.address()), Quick());
  const auto created = Submit(server.address());
  ASSERT_TRUE(created.ok()) << created.status();
  const auto job = jobs.Wait(created->name(), absl::Milliseconds(100));
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_FALSE(job->done());
}

TEST(JobsClient, WaitGoesOnThroughARestart) {
  JobsServer server;
  const auto created = Submit(server.address());
  ASSERT_TRUE(created.ok()) << created.status();
  std::thread waiting([&] {
    const auto job =
        JobsClient(MakeJobsChannel(server.address()), Quick()).Wait(created->name(), absl::InfiniteDuration());
    ASSERT_TRUE(job.ok()) << job.status();
    EXPECT_EQ(job->state(), v1::JOB_STATE_SUCCEEDED);
  });
  JobsClient worker(MakeJobsChannel(server.address()), Quick());
  const v1::LeasedJob leased = ClaimOne(worker);
  server.Stop();
  server.Start();
  Complete(worker, leased);
  waiting.join();
}

// Theorem: a watcher sees revisions rise, none twice, and the last one, wherever restarts fall.
TEST(JobsClient, WatchGoesOnThroughRestarts) {
  JobsServer server;
  const auto created = Submit(server.address());
  ASSERT_TRUE(created.ok()) << created.status();
  JobsClient jobs(MakeJobsChannel(server.address()), Quick());
  const auto watch = jobs.Watch(created->name());
  int64_t revision = 0;
  const auto next = [&] {
    const auto job = watch->Next();
    EXPECT_TRUE(job.ok() && job->has_value()) << job.status();
    EXPECT_GT((*job)->revision(), revision);
    revision = (*job)->revision();
    return **job;
  };
  EXPECT_EQ(next().state(), v1::JOB_STATE_QUEUED);
  JobsClient worker(MakeJobsChannel(server.address()), Quick());
  const v1::LeasedJob leased = ClaimOne(worker);
  EXPECT_EQ(next().state(), v1::JOB_STATE_RUNNING);
  for (int round = 1; round <= 3; ++round) {
    server.Stop();
    server.Start();
    Beat(worker, leased, round);
    EXPECT_EQ(next().progress().done(), round);
  }
  server.Stop();
  server.Start();
  Complete(worker, leased);
  EXPECT_TRUE(next().done());
  const auto end = watch->Next();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_FALSE(end->has_value());
}

TEST(JobsClient, WatchOfADoneJobTellsItOnce) {
  JobsServer server;
  const auto created = Submit(server.address());
  ASSERT_TRUE(created.ok()) << created.status();
  JobsClient jobs(MakeJobsChannel(server.address()), Quick());
  ASSERT_TRUE(jobs.Cancel(created->name()).ok());
  const auto watch = jobs.Watch(created->name());
  EXPECT_EQ((*watch->Next())->state(), v1::JOB_STATE_CANCELLED);
  EXPECT_FALSE(watch->Next()->has_value());
  EXPECT_EQ(ReasonOf(jobs.Watch("jobs/none")->Next().status()), "JOB_NOT_FOUND");
}

// A watcher that leaves must not wait for news.
TEST(JobsClient, AWatchCanBeDropped) {
  JobsServer server;
  const auto created = Submit(server.address());
  ASSERT_TRUE(created.ok()) << created.status();
  JobsClient jobs(MakeJobsChannel(server.address()), Quick());
  ASSERT_TRUE(jobs.Watch(created->name())->Next().ok());
}

TEST(JobsClient, WorkersSpeakAllTheirWords) {
  JobsServer server;
  const auto created = Submit(server.address());
  ASSERT_TRUE(created.ok()) << created.status();
  JobsClient worker(MakeJobsChannel(server.address()), Quick());
  v1::LeasedJob leased = ClaimOne(worker);
  EXPECT_EQ(leased.job().name(), created->name());
  Beat(worker, leased, 1, "one");
  Beat(worker, leased, 2, "two");
  const auto lines = worker.ListLogLines(created->name(), 1);
  ASSERT_TRUE(lines.ok()) << lines.status();
  ASSERT_EQ(lines->size(), 1);
  EXPECT_EQ(lines->front().text(), "two");

  v1::ReleaseJobRequest release;
  release.set_name(created->name());
  release.set_lease_id(leased.lease().id());
  ASSERT_TRUE(worker.Release(release).ok());
  v1::HeartbeatRequest late;
  late.set_name(created->name());
  late.set_lease_id(leased.lease().id());
  EXPECT_TRUE(IsLeaseLost(worker.Heartbeat(late).status()));

  leased = ClaimOne(worker);
  v1::FailJobRequest fail;
  fail.set_name(created->name());
  fail.set_lease_id(leased.lease().id());
  fail.set_error("no sound in it");
  fail.set_permanent(true);
  const auto failed = worker.Fail(fail);
  ASSERT_TRUE(failed.ok()) << failed.status();
  EXPECT_EQ(failed->state(), v1::JOB_STATE_FAILED);
  v1::ListJobsRequest list;
  list.set_filter("state = FAILED");
  EXPECT_EQ(worker.List(list)->jobs_size(), 1);
}

}  // namespace
}  // namespace ddsp::client
