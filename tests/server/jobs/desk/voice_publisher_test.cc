#include "server/jobs/desk/voice_publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/file.h"
#include "core/models/repository.h"
#include "core/streaming/voice_loader.h"
#include "server/errors/errors.h"
#include "server/metrics/server_metrics.h"
#include "tests/server/jobs/desk/desk_fixture.h"

namespace ddsp::server {
namespace {

namespace fs = std::filesystem;
using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Step = VoicePublisher::Step;

constexpr Step kSteps[] = {Step::kAssemble, Step::kVerify, Step::kRename, Step::kServe, Step::kDone};
struct Crash {};

absl::Status Renewed() { return absl::OkStatus(); }

class VoicePublisherTest : public ::testing::Test {
 protected:
  VoicePublisherTest() : folder_(directory_.path() + "/data/models") {
    blobs_ = *BlobStore::Open({.folder = directory_.path() + "/data"}, clock_);
    result_ = UploadVoice(*blobs_, Bundle("my-cello"));
  }
  std::string Bundle(const std::string& name, uint64_t seed = 1) {
    return WriteTestBundle(directory_.path() + "/made" + std::to_string(seed), {.name = name, .seed = seed});
  }

  std::unique_ptr<VoicePublisher> Open(const std::function<void(Step)>& before = [](Step) {}) {
    return *VoicePublisher::Open({.folder = folder_, .before = before}, *blobs_, models_, metrics_);
  }
  // What a client would find.
  std::vector<std::string> Published() const {
    std::vector<std::string> names;
    const std::vector<VoiceLocation> voices = ListVoices(folder_).value_or(std::vector<VoiceLocation>());
    for (const VoiceLocation& voice : voices) {
      EXPECT_TRUE(LoadVoice(voice.directory).ok()) << "a part of a voice is to be seen";
      names.push_back(voice.model + "/" + std::to_string(voice.version));
    }
    return names;
  }
  bool StagingIsEmpty() const { return fs::is_empty(folder_ + "/.staging"); }
  void ExpectRejection(const v1::JobResult& result, const std::string& reason, const std::string& said) {
    const absl::Status error = Open()->Publish(job_, result, Renewed).status();
    EXPECT_EQ(ReasonOf(error), reason);
    EXPECT_TRUE(FailsForGood(error));
    EXPECT_THAT(std::string(error.message()), HasSubstr(said));
    EXPECT_THAT(Published(), ElementsAre());
    EXPECT_TRUE(StagingIsEmpty());
  }

  TempDir directory_;
  const std::string folder_;
  SimClock clock_;
  std::unique_ptr<BlobStore> blobs_;
  FakeModels models_;
  ServerMetrics server_metrics_;
  JobMetrics metrics_{server_metrics_.registry()};
  v1::JobResult result_;
  const Job job_ = TrainJob("train-1", "my-cello");
};

TEST_F(VoicePublisherTest, APublishedVoiceIsInTheRepositoryAndServes) {
  AddFile(*blobs_, "report/evaluation.json", "{}", &result_);
  const auto published = Open()->Publish(job_, result_, Renewed);
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->model(), "my-cello/1");
  EXPECT_EQ(published->files_size(), result_.files_size());
  EXPECT_THAT(Published(), ElementsAre("my-cello/1"));
  EXPECT_THAT(models_.loaded, ElementsAre("my-cello/1"));
  EXPECT_EQ(*ReadFile(folder_ + "/my-cello/1/JOB"), "train-1\n");
  EXPECT_FALSE(fs::exists(folder_ + "/my-cello/1/report"));
  EXPECT_TRUE(StagingIsEmpty());
  EXPECT_THAT(server_metrics_.Text(), HasSubstr("ddsp_job_publish_seconds_count{outcome=\"published\"} 1"));
}

TEST_F(VoicePublisherTest, TheModelCardLiesBesideItsVersion) {
  AddFile(*blobs_, "report/MODEL_CARD.md", "# my-cello\n", &result_);
  ASSERT_TRUE(Open()->Publish(job_, result_, Renewed).ok());
  EXPECT_EQ(*ReadFile(folder_ + "/my-cello/1.md"), "# my-cello\n");
}

TEST_F(VoicePublisherTest, EachJobGetsTheNextVersionAndKeepsIt) {
  const auto publisher = Open();
  EXPECT_EQ(publisher->Publish(job_, result_, Renewed)->model(), "my-cello/1");
  fs::create_directories(folder_ + "/my-cello/6");  // whatever it is
  EXPECT_EQ(publisher->Publish(TrainJob("train-2", "my-cello"), result_, Renewed)->model(), "my-cello/7");
  EXPECT_EQ(publisher->Publish(job_, result_, Renewed)->model(), "my-cello/1") << "an answer was lost";
  EXPECT_EQ(publisher->Publish(TrainJob("train-2", "my-cello"), result_, Renewed)->model(), "my-cello/7");
  EXPECT_THAT(Published(), ElementsAre("my-cello/1", "my-cello/7"));
}

// Theorem: wherever a server dies, the repository shows the whole voice or nothing of it, and the next server's
// publishing gives exactly one version.
TEST_F(VoicePublisherTest, ACrashAnywhereGivesOneVersion) {
  for (const Step crash : kSteps) {
    const std::string id = "train-" + std::to_string(static_cast<int>(crash));
    const std::string model = "cello-" + std::to_string(static_cast<int>(crash));
    const v1::JobResult result = UploadVoice(*blobs_, Bundle(model));
    const size_t before = Published().size();
    const auto dies = Open([crash](Step step) {
      if (step == crash) throw Crash();
    });
    EXPECT_THROW((void)dies->Publish(TrainJob(id, model), result, Renewed), Crash);
    EXPECT_EQ(Published().size() - before, crash < Step::kServe ? 0u : 1u);
    const auto next = Open();
    EXPECT_TRUE(StagingIsEmpty());
    EXPECT_EQ(next->Publish(TrainJob(id, model), result, Renewed)->model(), model + "/1");
    EXPECT_EQ(Published().size() - before, 1u);
  }
}

TEST_F(VoicePublisherTest, ALostLeasePublishesNothing) {
  for (int asked = 1; asked <= 2; ++asked) {
    int calls = 0;
    const auto renew = [&] { return ++calls == asked ? MakeError(Reason::kLeaseLost, "gone") : absl::OkStatus(); };
    EXPECT_EQ(ReasonOf(Open()->Publish(job_, result_, renew).status()), "LEASE_LOST");
    EXPECT_THAT(Published(), ElementsAre());
    EXPECT_THAT(models_.loaded, ElementsAre());
    EXPECT_TRUE(StagingIsEmpty());
  }
}

TEST_F(VoicePublisherTest, ADamagedVoiceIsRejected) {
  for (v1::JobFile& file : *result_.mutable_files()) {
    if (file.path() != "voice/weights.safetensors") continue;
    std::string bytes = *blobs_->Read(file.sha256(), 0, file.size());
    bytes.back() ^= 1;
    file.set_sha256(Upload(*blobs_, bytes));
  }
  ExpectRejection(result_, "VOICE_REJECTED", "served: voice/weights.safetensors: its SHA-256 is not the manifest's");
}

TEST_F(VoicePublisherTest, AVoiceThatFailsItsGoldenTestIsRejected) {
  Voice voice = *MakeGoldenVoice({.name = "my-cello"});
  voice.golden.output[500] += 0.1f;
  const std::string folder = directory_.path() + "/wrong/1";
  ASSERT_TRUE(WriteBundle(folder, voice, WeightStorage::kFloat32).ok());
  ExpectRejection(UploadVoice(*blobs_, folder), "VOICE_REJECTED", "sample 500");
  EXPECT_THAT(server_metrics_.Text(), HasSubstr("ddsp_job_publish_seconds_count{outcome=\"rejected\"} 1"));
}

TEST_F(VoicePublisherTest, AVoiceOfAnotherNameIsRejected) {
  ExpectRejection(UploadVoice(*blobs_, Bundle("violin", 2)), "VOICE_REJECTED", "'violin', the job's 'my-cello'");
}

TEST_F(VoicePublisherTest, AVoiceWithAFileMissingIsRejected) {
  result_.mutable_files()->erase(
      std::find_if(result_.files().begin(), result_.files().end(),
                   [](const v1::JobFile& file) { return file.path() == "voice/weights.safetensors"; }));
  ExpectRejection(result_, "VOICE_REJECTED", "weights.safetensors");
}

TEST_F(VoicePublisherTest, PathsThatLeaveAreRefused) {
  AddFile(*blobs_, "voice/../../../escape", "x", &result_);
  ExpectRejection(result_, "INVALID_JOB_REQUEST", "leaves the voice's directory");
  EXPECT_FALSE(fs::exists(directory_.path() + "/escape"));
}

TEST_F(VoicePublisherTest, AVoiceThatCannotBeLoadedIsWithdrawn) {
  models_.answer = MakeError(Reason::kModelLoadFailed, "no memory for its slots");
  ExpectRejection(result_, "VOICE_REJECTED", "no memory for its slots");
  models_.answer = absl::OkStatus();
  EXPECT_EQ(Open()->Publish(job_, result_, Renewed)->model(), "my-cello/1");
}

TEST_F(VoicePublisherTest, APassingTroubleOfServingIsTriedAgain) {
  const auto publisher = Open();
  for (const Reason reason : {Reason::kServerDraining, Reason::kRepositoryNotWritable}) {
    models_.answer = MakeError(reason, "not now");
    const absl::Status error = publisher->Publish(job_, result_, Renewed).status();
    EXPECT_EQ(error.code(), absl::StatusCode::kUnavailable);
    EXPECT_FALSE(FailsForGood(error));
  }
  models_.answer = MakeError(Reason::kModelNotReady, "somebody unloaded it");
  EXPECT_EQ(publisher->Publish(job_, result_, Renewed)->model(), "my-cello/1");
  EXPECT_THAT(Published(), ElementsAre("my-cello/1"));
}

TEST_F(VoicePublisherTest, ATroubleOfTheDiskIsNotTheVoices) {
  const std::string blob = *blobs_->PathOf(result_.files(0).sha256()), elsewhere = directory_.path() + "/elsewhere";
  fs::rename(blob, elsewhere);
  const auto publisher = Open();
  const absl::Status error = publisher->Publish(job_, result_, Renewed).status();
  EXPECT_THAT(std::string(error.message()), HasSubstr("cannot copy " + blob));
  EXPECT_FALSE(FailsForGood(error));
  EXPECT_THAT(Published(), ElementsAre());
  EXPECT_TRUE(StagingIsEmpty());
  fs::rename(elsewhere, blob);
  EXPECT_EQ(publisher->Publish(job_, result_, Renewed)->model(), "my-cello/1");
}

TEST_F(VoicePublisherTest, AFolderThatCannotBeMadeIsNamed) {
  const auto opened = VoicePublisher::Open({.folder = "/proc/nowhere"}, *blobs_, models_, metrics_);
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("/proc/nowhere"));
}

}  // namespace
}  // namespace ddsp::server
