// Jobs over many files, bad jobs, and stores that are full: what a user sees.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/sdk/channel.h"
#include "client/sdk/error.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "tests/faults/fault_rig.h"

namespace ddsp::testing {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> PathsOf(const v1::Job& job) {
  std::vector<std::string> paths;
  for (const v1::JobFile& file : job.result().files()) paths.push_back(file.path());
  return paths;
}

class JobFaultsTest : public ::testing::Test {
 protected:
  std::string Submit(const v1::JobSpec& spec) {
    v1::CreateJobRequest request;
    *request.mutable_spec() = spec;
    return rig_.jobs().Create(request).value().name();
  }
  std::string Download(const v1::Job& job, const std::string& path) { return rig_.Download(job, path); }

  FaultRig rig_{{"--job-lease-secs=4", "--job-heartbeat-secs=0.2"}};
};

TEST_F(JobFaultsTest, FilesAreAnalysedPlayedAndOneIsBroken) {
  v1::JobSpec features;
  *features.mutable_features()->add_inputs() = rig_.UploadRecording("takes/a.wav", 2, 1);
  *features.mutable_features()->add_inputs() = rig_.UploadText("takes/b.wav", "no audio");
  features.mutable_features()->set_frame_rate_hz(50);
  const std::string first = Submit(features);
  const auto worker = rig_.StartWorker({"--exit-when-idle"});
  EXPECT_EQ(worker->Wait(), 0) << worker->said();
  const v1::Job analysed = rig_.Get(first);
  ASSERT_EQ(analysed.state(), v1::JOB_STATE_SUCCEEDED) << analysed.error();
  EXPECT_THAT(PathsOf(analysed), ::testing::ElementsAre("takes/a.csv", "report/files.json"));
  EXPECT_THAT(Download(analysed, "report/files.json"), HasSubstr("takes/b.wav"));
  EXPECT_EQ(analysed.progress().done(), 2);

  v1::JobSpec transfer, render;
  *transfer.mutable_transfer()->add_inputs() = rig_.UploadRecording("a.wav", 2, 1);
  transfer.mutable_transfer()->set_model(kBundled);
  *render.mutable_render()->add_inputs() = rig_.UploadText("a.csv", Download(analysed, "takes/a.csv"));
  render.mutable_render()->set_model(kBundled);
  const std::string second = Submit(transfer), third = Submit(render);
  const auto other = rig_.StartWorker({"--exit-when-idle"});
  EXPECT_EQ(other->Wait(), 0) << other->said();
  for (const std::string& name : {second, third}) {
    const v1::Job job = rig_.Get(name);
    ASSERT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED) << job.error();
    // Two seconds of 32-bit samples and a tail.
    EXPECT_GT(Download(job, "a.wav").size(), 2 * 16000 * 4);
  }
}

// What a killed worker has finished is not done again.
TEST_F(JobFaultsTest, AWorkerIsKilledBetweenFiles) {
  const std::string name = Submit(rig_.FeaturesOf(kManyRecordings));
  {
    const auto worker = rig_.StartWorker();
    ASSERT_TRUE(rig_.UntilCheckpoint(name)) << worker->said();
    worker->Kill();
  }
  const int64_t step = rig_.Get(name).checkpoint().step();
  const auto worker = rig_.StartWorker();
  const v1::Job job = rig_.Await(name);
  ASSERT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED) << job.error();
  EXPECT_THAT(PathsOf(job), ::testing::SizeIs(kManyRecordings + 1));
  EXPECT_THAT(rig_.JobLog(name), HasSubstr(absl::StrCat("goes on from checkpoint ", step)));
}

TEST_F(JobFaultsTest, AJobAsksForWhatCannotBe) {
  v1::CreateJobRequest request = rig_.TrainingRequest();
  request.mutable_spec()->mutable_train()->add_overrides("train.batchsize = 2");
  const absl::Status refused = rig_.jobs().Create(request).status();
  EXPECT_EQ(client::ReasonOf(refused), "INVALID_JOB_REQUEST");
  EXPECT_THAT(std::string(refused.message()), HasSubstr("spec.train.overrides[3] 'train.batchsize = 2'"));
}

TEST_F(JobFaultsTest, NoRecordingIsOfUse) {
  v1::CreateJobRequest request = rig_.TrainingRequest();
  request.mutable_spec()->mutable_train()->clear_data();
  *request.mutable_spec()->mutable_train()->add_data() = rig_.UploadText("notes.wav", "no audio");
  const std::string training = rig_.jobs().Create(request).value().name();
  const auto worker = rig_.StartWorker({"--exit-when-idle"});
  EXPECT_EQ(worker->Wait(), 0) << worker->said();
  EXPECT_EQ(rig_.Get(training).state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(rig_.Get(training).error(), HasSubstr("notes.wav"));
  const auto for_one = rig_.StartWorker({"--job=" + training});
  EXPECT_EQ(for_one->Wait(), 3) << for_one->said();
}

TEST_F(JobFaultsTest, AWorkerOutlivesItsServer) {
  const auto worker = rig_.StartWorker();
  rig_.KillServer();
  ASSERT_TRUE(Until([&] { return absl::StrContains(worker->said(), "no answer"); }));
  rig_.StartServer();
  v1::JobSpec spec;
  *spec.mutable_features()->add_inputs() = rig_.UploadRecording("a.wav", 1, 1);
  EXPECT_EQ(rig_.Await(Submit(spec)).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_TRUE(worker->running());
}

TEST(QuotaTest, AnUploadIsRefusedWithWhatIsThere) {
  FaultRig rig({"--blob-quota-mib=1"});
  const std::string file = rig.log("big");
  ASSERT_TRUE(WriteFileAtomically(file, std::string(2 << 20, 'x')).ok());
  const absl::Status status = rig.blobs().UploadFile(file).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(client::ReasonOf(status), "BLOB_QUOTA_EXCEEDED");
}

// What was uploaded of it is gone, also where the server was killed in between, and its room is there for others.
TEST(QuotaTest, AnUploadIsCancelled) {
  FaultRig rig({"--blob-quota-mib=3"});
  const std::string first = rig.log("first"), second = rig.log("second");
  ASSERT_TRUE(WriteFileAtomically(first, std::string(2 << 20, 'x')).ok());
  ASSERT_TRUE(WriteFileAtomically(second, std::string(2 << 20, 'y')).ok());
  const auto channel = client::MakeJobsChannel(rig.address());
  const std::string sha256 = Sha256Hex(ReadFile(first).value());
  for (const bool restarted : {false, true}) {
    client::Cancellation interrupt;
    client::CallOptions options;
    options.cancellation = &interrupt;
    const auto stop_half_way = [&](int64_t done, int64_t size) {
      if (done >= size / 2) interrupt.Cancel();
    };
    ASSERT_FALSE(client::BlobTransfer(channel, options).UploadFile(first, stop_half_way).ok());
    EXPECT_EQ(client::ReasonOf(rig.blobs().UploadFile(second).status()), "BLOB_QUOTA_EXCEEDED");
    if (restarted) {
      rig.KillServer();
      rig.StartServer();
    }
    ASSERT_TRUE(rig.blobs().CancelUpload(sha256).ok());
  }
  EXPECT_TRUE(rig.blobs().UploadFile(second).ok());
  const absl::Status gone = rig.blobs().Download(sha256, rig.log("out"));
  EXPECT_EQ(client::ReasonOf(gone), "BLOB_NOT_FOUND");
}

}  // namespace
}  // namespace ddsp::testing
