#include "worker/runners/file_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/file.h"
#include "tests/worker/jobs/fake_job_server.h"

namespace ddsp::worker {
namespace {

using ddsp::testing::FakeBlobDepot;
using ddsp::testing::FakeReporter;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Doubles a file; "bad" is one that cannot be used, "stop" the worker's end.
class Doubler : public FileWork {
 public:
  std::string ending() const override { return ".out"; }
  FileOutcome Do(const std::string& input, const std::string& output, StopToken& stop) override {
    const std::string bytes = ReadFile(input).value();
    inputs.push_back(bytes);
    if (bytes == "bad") return FileOutcome::BadFile(absl::InvalidArgumentError(input + ": bad"));
    if (bytes == "stop") stop.Ask(StopReason::kShutdown);
    if (bytes == "stop") return FileOutcome::CannotGoOn(stop.status());
    const absl::Status written = WriteFileAtomically(output, bytes + bytes);
    return written.ok() ? FileOutcome::Made() : FileOutcome::CannotGoOn(written);
  }
  std::vector<std::string> inputs;
};

class FileBatchTest : public ::testing::Test {
 protected:
  FileBatchTest() {
    std::filesystem::remove_all(workspace_);
    std::filesystem::create_directories(workspace_);
  }

  void AddInput(const std::string& path, const std::string& bytes) {
    *job_.mutable_spec()->mutable_features()->add_inputs() = depot_.Add(path, bytes);
  }
  absl::StatusOr<v1::JobResult> Run() {
    const JobContext context{job_, workspace_, depot_, report_, stop_};
    FileBatch::Options options;
    options.checkpoint_interval = absl::ZeroDuration();
    return FileBatch(context, doubler_, options).Run(job_.spec().features().inputs());
  }
  std::vector<std::string> Outputs(const v1::JobResult& result) const {
    std::vector<std::string> outputs;
    for (const v1::JobFile& file : result.files()) outputs.push_back(file.path() + "=" + depot_.BytesOf(file.sha256()));
    return outputs;
  }

  const std::string workspace_ = ::testing::TempDir() + "/file_batch_test";
  v1::Job job_;
  FakeBlobDepot depot_;
  FakeReporter report_;
  StopToken stop_;
  Doubler doubler_;
};

TEST_F(FileBatchTest, MakesAnOutputOfEachInput) {
  AddInput("x/a.wav", "1");
  AddInput("b.wav", "22");
  const auto result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(Outputs(*result), ElementsAre("b.out=2222", "x/a.out=11", HasSubstr("report/files.json=")));
  EXPECT_EQ(result->metrics().at("files_made"), 2);
  EXPECT_EQ(report_.progress().done(), 2);
  EXPECT_EQ(report_.progress().total(), 2);
  EXPECT_THAT(report_.outputs(), ElementsAre(result->files(1).sha256(), result->files(0).sha256()))
      << "kept while others are made";
  EXPECT_TRUE(std::filesystem::is_empty(workspace_ + "/in/x")) << "one file is on disk at a time";
}

TEST_F(FileBatchTest, LeavesOutWhatCannotBeUsedAndSaysSo) {
  AddInput("takes/broken.wav", "bad");
  AddInput("good.wav", "1");
  const auto result = Run();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(Outputs(*result), Contains("good.out=11"));
  EXPECT_THAT(Outputs(*result), Contains(HasSubstr("takes/broken.wav: bad")));
  EXPECT_THAT(report_.lines(), ElementsAre("left out: takes/broken.wav: bad"));
  EXPECT_EQ(result->metrics().at("files_skipped"), 1);
}

TEST_F(FileBatchTest, FailsForGoodWhereNothingCanBeUsed) {
  AddInput("a.wav", "bad");
  const absl::Status status = Run().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("none of 1 files could be used; a.wav: bad"));
}

// What is done before a kill is not done again.
TEST_F(FileBatchTest, GoesOnFromItsCheckpoint) {
  AddInput("a.wav", "1");
  AddInput("b.wav", "bad");
  AddInput("c.wav", "stop");
  AddInput("d.wav", "4");
  EXPECT_EQ(Run().status().code(), absl::StatusCode::kCancelled);
  ASSERT_FALSE(report_.checkpoints().empty());
  EXPECT_EQ(report_.checkpoints().back().step(), 2);

  *job_.mutable_checkpoint() = report_.checkpoints().back();
  job_.mutable_spec()->mutable_features()->mutable_inputs(2)->CopyFrom(depot_.Add("c.wav", "3"));
  doubler_.inputs.clear();
  StopToken go_on;
  const JobContext context{job_, workspace_, depot_, report_, go_on};
  const auto result = FileBatch(context, doubler_, {}).Run(job_.spec().features().inputs());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(doubler_.inputs, ElementsAre("3", "4"));
  EXPECT_THAT(Outputs(*result), ElementsAre("a.out=11", "c.out=33", "d.out=44", HasSubstr("b.wav: bad")));
}

TEST_F(FileBatchTest, BeginsAnewWhereTheCheckpointIsGone) {
  AddInput("a.wav", "1");
  job_.mutable_checkpoint()->set_step(1);
  job_.mutable_checkpoint()->set_sha256("gone");
  EXPECT_TRUE(Run().ok());
  EXPECT_THAT(report_.lines(), Contains(HasSubstr("checkpoint 1 cannot be used")));
}

TEST_F(FileBatchTest, KeepsWhatItHasWhenAnUploadFails) {
  AddInput("a.wav", "1");
  depot_.store_answers = {absl::ResourceExhaustedError("quota")};
  EXPECT_EQ(Run().status().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace ddsp::worker
