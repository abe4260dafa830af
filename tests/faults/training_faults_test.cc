// A training whose workers and server are killed, stopped, cut off and starved ends as if nothing had happened: with
// one voice, of the same bits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/sdk/error.h"
#include "core/base/file.h"
#include "tests/faults/fault_rig.h"
#include "tests/faults/stall_proxy.h"

namespace ddsp::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Leases run out soon, so that a killed worker's job is soon another's.
std::vector<std::string> ShortLeases() { return {"--job-lease-secs=4", "--job-heartbeat-secs=0.2"}; }

class TrainingFaultsTest : public ::testing::Test {
 protected:
  // What an undisturbed worker makes of the same job. Made once.
  static const std::vector<std::string>& UndisturbedVoice() {
    static const auto* const files = [] {
      FaultRig rig;
      const std::string name = rig.SubmitTraining();
      const auto worker = rig.StartWorker({"--exit-when-idle", "--checkpoint-seconds=3600"});
      EXPECT_EQ(worker->Wait(), 0) << worker->said();
      return new std::vector<std::string>(VoiceFiles(rig.Get(name)));
    }();
    EXPECT_THAT(*files, SizeIs(4)) << "model, weights, golden audio, manifest";
    return *files;
  }

  void ExpectOneVoiceOfTheSameBits(const std::string& name) {
    const v1::Job job = rig_.Await(name);
    ASSERT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED) << job.error() << "\n" << rig_.JobLog(name);
    EXPECT_EQ(job.result().model(), absl::StrCat(kTrained, "/1"));
    EXPECT_EQ(VoiceFiles(job), UndisturbedVoice()) << rig_.JobLog(name);
    EXPECT_THAT(rig_.Published(), ElementsAre("1"));
  }

  // Until the server has begun to put the voice together.
  bool UntilPublishing(const std::string& name) {
    const std::string staging = absl::StrCat(rig_.data_dir(), "/models/.staging/", name.substr(name.rfind('/') + 1));
    return Until([&] { return fs::exists(staging) || !rig_.Published().empty(); });
  }

  // A worker that gets stuck, by the proxy, after so many bytes in one direction; it is killed there.
  void KillAWorkerInTheMiddleOf(const std::string& name, int64_t sent, int64_t received) {
    StallProxy proxy(rig_.port());
    if (sent > 0) proxy.StallAfterSent(sent);
    if (received > 0) proxy.StallAfterReceived(received);
    const auto worker = rig_.StartWorker({}, proxy.address());
    ASSERT_TRUE(Until([&] { return proxy.stalled(); })) << worker->said();
    worker->Kill();
    EXPECT_FALSE(rig_.Get(name).done());
  }

  FaultRig rig_{ShortLeases()};
};

TEST_F(TrainingFaultsTest, AWorkerIsKilledAtEveryStage) {
  const std::string name = rig_.SubmitTraining();
  // The recordings have 1.2 MB, a checkpoint 23 MB.
  KillAWorkerInTheMiddleOf(name, 0, 600'000);
  EXPECT_EQ(rig_.Get(name).checkpoint().sha256(), "") << "it was downloading";
  KillAWorkerInTheMiddleOf(name, 10'000'000, 0);
  EXPECT_EQ(rig_.Get(name).checkpoint().sha256(), "") << "it was uploading its first checkpoint";
  {
    const auto worker = rig_.StartWorker();
    ASSERT_TRUE(rig_.UntilCheckpoint(name)) << worker->said();
    worker->Kill();
  }
  const int64_t step = rig_.Get(name).checkpoint().step();
  {
    // The next one goes on from there, and dies while the server publishes its voice.
    const auto worker = rig_.StartWorker();
    ASSERT_TRUE(UntilPublishing(name)) << worker->said();
    worker->Kill();
    EXPECT_THAT(rig_.JobLog(name), HasSubstr(absl::StrCat("goes on from checkpoint ", step)));
  }
  const auto worker = rig_.StartWorker();
  ExpectOneVoiceOfTheSameBits(name);
}

TEST_F(TrainingFaultsTest, TheServerIsKilledAtEveryStage) {
  // While a recording is uploaded.
  const std::string recording = rig_.log("recording");
  ASSERT_TRUE(WriteFileAtomically(recording, std::string(40 << 20, 'x')).ok());
  bool killed = false;
  const auto blob = rig_.blobs().UploadFile(recording, [&](int64_t done, int64_t size) {
    if (killed || done < size / 2) return;
    killed = true;
    rig_.KillServer();
    rig_.StartServer();
  });
  ASSERT_TRUE(blob.ok()) << blob.status();
  EXPECT_TRUE(killed);

  const std::string name = rig_.SubmitTraining();
  const auto worker = rig_.StartWorker();
  // While the voice is trained.
  ASSERT_TRUE(rig_.UntilCheckpoint(name)) << worker->said();
  const v1::Job before = rig_.Get(name);
  rig_.KillServer();
  rig_.StartServer();
  EXPECT_GE(rig_.Get(name).checkpoint().step(), before.checkpoint().step()) << "nothing acknowledged is lost";
  // While it is published.
  ASSERT_TRUE(UntilPublishing(name)) << worker->said();
  rig_.KillServer();
  rig_.StartServer();
  ExpectOneVoiceOfTheSameBits(name);
  EXPECT_TRUE(worker->running());
}

// A worker that sleeps for longer than its lease and wakes while another has the job.
TEST_F(TrainingFaultsTest, AWorkerLosesItsLeaseWhileItTrains) {
  const std::string name = rig_.SubmitTraining();
  const auto sleeper = rig_.StartWorker();
  ASSERT_TRUE(rig_.UntilCheckpoint(name)) << sleeper->said();
  sleeper->Signal(SIGSTOP);
  const auto other = rig_.StartWorker();
  ASSERT_TRUE(rig_.UntilJob(name, [](const v1::Job& job) { return job.attempts() == 2; })) << other->said();
  sleeper->Signal(SIGCONT);
  ASSERT_TRUE(Until([&] { return absl::StrContains(sleeper->said(), "the lease is lost"); })) << sleeper->said();
  ExpectOneVoiceOfTheSameBits(name);
  EXPECT_EQ(rig_.Get(name).attempts(), 2);
}

// The network between a worker and its server is away for longer than the lease.
TEST_F(TrainingFaultsTest, AWorkerIsCutOffAndComesBack) {
  const std::string name = rig_.SubmitTraining();
  StallProxy proxy(rig_.port());
  const auto worker = rig_.StartWorker({}, proxy.address());
  ASSERT_TRUE(rig_.UntilCheckpoint(name)) << worker->said();
  proxy.StallAfterSent(0);
  ASSERT_TRUE(Until([&] { return absl::StrContains(worker->said(), "the lease is lost"); })) << worker->said();
  EXPECT_THAT(rig_.Published(), IsEmpty());
  proxy.Pass();
  ExpectOneVoiceOfTheSameBits(name);
}

TEST_F(TrainingFaultsTest, AWorkerIsToldToStop) {
  const std::string name = rig_.SubmitTraining();
  const auto first = rig_.StartWorker({"--checkpoint-seconds=3600"});
  ASSERT_TRUE(rig_.UntilJob(name, [](const v1::Job& job) { return job.progress().done() > 0; })) << first->said();
  first->Signal(SIGTERM);
  EXPECT_EQ(first->Wait(), 0) << first->said();
  const v1::Job job = rig_.Get(name);
  EXPECT_FALSE(job.done());
  EXPECT_GT(job.checkpoint().step(), 0) << "it saved what it had";
  EXPECT_EQ(job.failures(), 0);
  const auto second = rig_.StartWorker({"--job=" + name});
  ExpectOneVoiceOfTheSameBits(name);
  EXPECT_EQ(second->Wait(), 0) << second->said();
}

// A checkpoint that does not fit on the disk costs the attempt, and nothing that was there before.
TEST_F(TrainingFaultsTest, TheDiskIsFullInTheMiddleOfACheckpoint) {
  const std::string name = rig_.SubmitTraining();
  {
    const auto worker = rig_.StartWorker({"--max-jobs=1"});
    ASSERT_TRUE(rig_.UntilCheckpoint(name)) << worker->said();
    worker->LimitFileSize(5'000'000);
    EXPECT_EQ(worker->Wait(), 0) << worker->said();
  }
  const v1::Job job = rig_.Get(name);
  ASSERT_EQ(job.state(), v1::JOB_STATE_RETRYABLE) << job.error();
  EXPECT_THAT(job.error(), HasSubstr("File too large"));
  EXPECT_EQ(job.failures(), 1);
  const std::string checkpoint = rig_.log("checkpoint");
  EXPECT_TRUE(rig_.blobs().Download(job.checkpoint().sha256(), checkpoint).ok());
  const auto worker = rig_.StartWorker();
  ExpectOneVoiceOfTheSameBits(name);
}

TEST_F(TrainingFaultsTest, AJobIsCancelledWhileItTrains) {
  const std::string name = rig_.SubmitTraining();
  const auto worker = rig_.StartWorker();
  ASSERT_TRUE(rig_.UntilJob(name, [](const v1::Job& job) { return job.progress().done() > 0; })) << worker->said();
  ASSERT_TRUE(rig_.jobs().Cancel(name).ok());
  EXPECT_EQ(rig_.Await(name).state(), v1::JOB_STATE_CANCELLED);
  EXPECT_THAT(rig_.Published(), IsEmpty());
}

TEST_F(TrainingFaultsTest, AJobIsSubmittedTwice) {
  const std::string name = rig_.SubmitTraining("once");
  EXPECT_EQ(rig_.SubmitTraining("once"), name);
  rig_.KillServer();
  rig_.StartServer();
  EXPECT_EQ(rig_.SubmitTraining("once"), name);
  EXPECT_EQ(rig_.jobs().List({}).value().jobs_size(), 1);
}

}  // namespace
}  // namespace ddsp::testing
