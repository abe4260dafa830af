// Pieces of the commands about jobs.
#include <nlohmann/json.hpp>

#include "client/cli/exit_code.h"
#include "client/cli/job_files.h"
#include "client/cli/job_json.h"
#include "client/cli/job_name.h"
#include "client/cli/job_text.h"
#include "gtest/gtest.h"

namespace ddsp::client {
namespace {

v1::JobFile FileAt(const std::string& path) {
  v1::JobFile file;
  file.set_path(path);
  return file;
}

// Our server refuses such results; another one is not trusted.
TEST(PathBelow, StaysInTheFolder) {
  EXPECT_EQ(*PathBelow("out", FileAt("voice/weights")), "out/voice/weights");
  EXPECT_EQ(*PathBelow("out", FileAt("...")), "out/...");
  for (const std::string path : {"../escaped", "a/../../b", "/etc/passwd", "", "a//b", "a/", ".", "..", "a/./b"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(PathBelow("out", FileAt(path)).status())) << path;
  }
  EXPECT_FALSE(PathBelow("out", FileAt(std::string("a") + '\0' + "b")).ok());
}

TEST(ParseJobName, TakesWhatPeopleAndScriptsHave) {
  for (const char* text : {"jobs/train-1", "train-1", " train-1\n", R"({"name": "jobs/train-1", "state": "QUEUED"})"}) {
    EXPECT_EQ(*ParseJobName(text), "jobs/train-1") << text;
  }
  for (const char* text : {"", " ", "{}", "{", R"({"name": 3})", R"({"name": ""})"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseJobName(text).status())) << text;
  }
}

TEST(JobJson, HasEveryPlainFieldAndNumbersAsNumbers) {
  v1::Job job;
  job.set_name("jobs/train-1");
  job.set_state(v1::JOB_STATE_RUNNING);
  job.set_revision(int64_t{1} << 53);
  job.mutable_create_time()->set_seconds(1'700'000'000);
  job.mutable_create_time()->set_nanos(500'000'000);
  job.mutable_spec()->mutable_train()->set_seed(~uint64_t{0});
  job.mutable_progress()->mutable_time_left()->set_seconds(90);
  (*job.mutable_progress()->mutable_metrics())["loss"] = 3.25;
  const nlohmann::ordered_json json = ToJson(job);
  EXPECT_EQ(json["state"], "RUNNING");
  EXPECT_EQ(json["done"], false);
  EXPECT_EQ(json["revision"], int64_t{1} << 53);
  EXPECT_EQ(json["create_time"], "2023-11-14T22:13:20.5Z");
  EXPECT_FALSE(json.contains("end_time"));
  EXPECT_FALSE(json.contains("error")) << "of an outcome that is not there";
  EXPECT_EQ(json["spec"]["train"]["seed"], ~uint64_t{0});
  EXPECT_EQ(json["spec"]["train"]["data"], nlohmann::ordered_json::array());
  EXPECT_EQ(json["progress"]["time_left"], 90.0);
  EXPECT_EQ(json["progress"]["metrics"].dump(), R"({"loss":3.25})");
}

TEST(JobText, TellsAJobInALine) {
  v1::Job job;
  job.set_name("jobs/train-1");
  job.mutable_spec()->mutable_train();
  job.set_state(v1::JOB_STATE_QUEUED);
  EXPECT_EQ(Tell(job), "waits for a worker");
  job.set_state(v1::JOB_STATE_RUNNING);
  job.mutable_progress()->set_done(420);
  job.mutable_progress()->set_total(1000);
  auto& metrics = *job.mutable_progress()->mutable_metrics();
  metrics["loss"] = 3.21449;
  metrics["held_out"] = 3.5;
  metrics["pitch_loss"] = 4;
  metrics["steps_per_second"] = 2.1;
  metrics["learning_rate"] = 0.001;
  job.mutable_progress()->mutable_time_left()->set_seconds(3876);
  EXPECT_EQ(Tell(job), "step 420 of 1000, loss 3.214, held out 3.5, pitch_loss 4, 2.10 steps a second, 1:04:36 left");
  EXPECT_DOUBLE_EQ(ShareOf(job), 0.42);
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  job.mutable_result()->set_model("my-cello/1");
  job.mutable_result()->add_files();
  EXPECT_EQ(Tell(job), "succeeded: voice my-cello/1, 1 file");
  EXPECT_EQ(ShareOf(job), 1);
}

TEST(OutcomeOf, HasAnExitCodeForEachEnd) {
  v1::Job job;
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ExitCodeOf(OutcomeOf(job)), ExitCode::kOk);
  job.set_state(v1::JOB_STATE_FAILED);
  EXPECT_EQ(ExitCodeOf(OutcomeOf(job)), ExitCode::kJobFailed);
  job.set_state(v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(ExitCodeOf(OutcomeOf(job)), ExitCode::kJobCancelled);
  for (const v1::JobState state : {v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING, v1::JOB_STATE_RETRYABLE}) {
    job.set_state(state);
    EXPECT_EQ(ExitCodeOf(OutcomeOf(job)), ExitCode::kJobNotDone);
  }
  EXPECT_EQ(ExitCodeOf(absl::InternalError("any")), ExitCode::kFailure);
}

}  // namespace
}  // namespace ddsp::client
