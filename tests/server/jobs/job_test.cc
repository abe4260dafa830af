#include "server/jobs/job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

using testing::HasSubstr;

NewJob GoodJob() { return {.request_id = "r1", .kind = "train", .display_name = "my cello", .spec = "{}"}; }

TEST(Job, StatesAreFoundByTheirNames) {
  for (int i = 0; i <= static_cast<int>(JobState::kCancelled); ++i) {
    const auto state = static_cast<JobState>(i);
    EXPECT_EQ(JobStateNamed(NameOf(state)), state);
  }
  EXPECT_EQ(JobStateNamed("running"), std::nullopt);
}

TEST(Job, IsWaitingRunningOrFinished) {
  for (int i = 0; i <= static_cast<int>(JobState::kCancelled); ++i) {
    const auto state = static_cast<JobState>(i);
    EXPECT_EQ(IsWaiting(state) + IsFinished(state) + (state == JobState::kRunning), 1) << NameOf(state);
  }
}

TEST(ValidateNewJob, TakesAGoodOne) { EXPECT_EQ(Validate(GoodJob()), absl::OkStatus()); }

TEST(ValidateNewJob, NamesEveryFieldThatIsWrong) {
  const absl::Status error = Validate({.request_id = "", .kind = "Train!", .spec = "\xff", .priority = 101});
  EXPECT_EQ(ReasonOf(error), "INVALID_JOB_REQUEST");
  for (const char* part : {"kind 'Train!' is no kind", "request_id is empty", "spec is not text at byte 0",
                           "priority 101 is not in [-100, 100]"}) {
    EXPECT_THAT(std::string(error.message()), HasSubstr(part));
  }
}

TEST(ValidateNewJob, BoundsTexts) {
  NewJob job = GoodJob();
  job.display_name = std::string(64, 'x');
  EXPECT_THAT(std::string(Validate(job).message()), HasSubstr("display_name is 64 bytes long; at most 63"));
  job = GoodJob();
  EXPECT_EQ(Validate(job, {.max_spec_bytes = 2}), absl::OkStatus());
  EXPECT_FALSE(Validate(job, {.max_spec_bytes = 1}).ok());
}

}  // namespace
}  // namespace ddsp::server
