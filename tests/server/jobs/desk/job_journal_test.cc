#include "server/jobs/desk/job_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ddsp::server {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

class JobJournalTest : public ::testing::Test {
 protected:
  JobJournalTest() {
    job_ = {.id = "train-1", .kind = "train", .display_name = "my-cello", .spec = "{\"secret\": 1}"};
    job_.create_time = job_.update_time = job_.start_time = absl::FromUnixSeconds(100);
  }
  json Told(JobStep step, const std::string& tenant = "studio") {
    text_.clear();
    TellNews (&log_)({step, job_, tenant});
    log_.Flush();
    return json::parse(text_, nullptr, /*allow_exceptions=*/false);
  }
  Job job_;
  std::string text_;
  Log log_{{.format = LogFormat::kJson}, [this](std::string_view lines) {
             text_ += lines;
             return true;
           }};
};

TEST_F(JobJournalTest, ALineSaysWhichJobAndWhose) {
  const json line = Told(JobStep::kCreated);
  EXPECT_EQ(line["event"], "job.created");
  EXPECT_EQ(line["message"], "job created");
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["job"], "train-1");
  EXPECT_EQ(line["kind"], "train");
  EXPECT_EQ(line["tenant"], "studio");
  EXPECT_EQ(line["name"], "my-cello");
  EXPECT_FALSE(line.contains("worker"));
  EXPECT_EQ(text_.find("secret"), std::string::npos) << "what is to be done is the job's own";
  EXPECT_FALSE(Told(JobStep::kCreated, "").contains("tenant"));
}

TEST_F(JobJournalTest, AnAttemptSaysWhoseAndWhenTheNextIs) {
  job_.attempts = 2;
  job_.worker = "host:7";
  job_.state = JobState::kRetryable;
  job_.run_time = job_.update_time + absl::Seconds(16);
  job_.checkpoint = {.step = 300, .blob = "abc"};
  job_.error = "out of memory";
  const json line = Told(JobStep::kAttemptFailed);
  EXPECT_EQ(line["event"], "job.attempt_failed");
  EXPECT_EQ(line["message"], "job attempt failed");
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["attempt"], 2);
  EXPECT_EQ(line["worker"], "host:7");
  EXPECT_EQ(line["checkpoint_step"], 300);
  EXPECT_EQ(line["again_in_seconds"], 16);
  EXPECT_EQ(line["error"], "out of memory");
}

TEST_F(JobJournalTest, AnEndSaysHowLongItTook) {
  job_.attempts = 1;
  job_.state = JobState::kSucceeded;
  job_.end_time = job_.start_time + absl::Seconds(42);
  const json line = Told(JobStep::kSucceeded);
  EXPECT_EQ(line["event"], "job.succeeded");
  EXPECT_EQ(line["seconds"], 42);
  EXPECT_EQ(line["level"], "info");
  EXPECT_FALSE(line.contains("again_in_seconds"));
  EXPECT_FALSE(line.contains("error"));
}

TEST_F(JobJournalTest, EveryStepHasAnEventOfItsOwn) {
  std::vector<std::string> events;
  for (int step = 0; step <= static_cast<int>(JobStep::kCancelled); ++step) {
    events.push_back(Told(static_cast<JobStep>(step))["event"]);
  }
  EXPECT_THAT(events, ElementsAre("job.created", "job.claimed", "job.released", "job.attempt_failed", "job.lease_lost",
                                  "job.cancel_requested", "job.succeeded", "job.failed", "job.cancelled"));
}

TEST(JobJournal, WithoutALogNobodyIsTold) { EXPECT_FALSE(TellNews(nullptr)); }

}  // namespace
}  // namespace ddsp::server
