#include "server/jobs/job_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/errors/errors.h"

namespace ddsp::server {
namespace {

using testing::HasSubstr;

TEST(ParseJobFilter, ReadsConditions) {
  EXPECT_EQ(*ParseJobFilter(""), JobFilter{});
  EXPECT_EQ(*ParseJobFilter("  "), JobFilter{});
  EXPECT_EQ(*ParseJobFilter("state = RUNNING AND kind=train"),
            (JobFilter{.states = {JobState::kRunning}, .kind = "train"}));
  EXPECT_EQ(*ParseJobFilter("display_name = \"my AND = cello\""), (JobFilter{.display_name = "my AND = cello"}));
  EXPECT_EQ(ParseJobFilter("done=true")->states,
            (std::vector<JobState>{JobState::kSucceeded, JobState::kFailed, JobState::kCancelled}));
  EXPECT_EQ(ParseJobFilter("done = false")->states.size(), 3u);
}

TEST(ParseJobFilter, NamesTheConditionThatIsWrong) {
  const std::pair<std::string, std::string> kBad[] = {
      {"colour = red", "there is no field 'colour'"},
      {"state = running", "there is no state 'running'"},
      {"done = maybe", "not 'maybe'"},
      {"kind", "expected 'field = value' at 'kind'"},
      {"kind train x", "expected 'field = value' at 'kind'"},
      {"kind = train AND", "nothing after 'AND'"},
      {"kind = train OR kind = render", "expected AND before 'OR'"},
      {"kind = train AND kind = render", "two conditions on 'kind'"},
      {"state = RUNNING AND done = true", "two conditions on the state"},
      {"kind = \"", "no closing quote"},
      {"kind = \"\"", "nothing to compare with"},
  };
  for (const auto& [text, part] : kBad) {
    const auto filter = ParseJobFilter(text);
    EXPECT_EQ(ReasonOf(filter.status()), "INVALID_JOB_REQUEST") << text;
    EXPECT_THAT(std::string(filter.status().message()), HasSubstr(part)) << text;
  }
}

TEST(ParseJobFilter, OneFilterHasOneForm) {
  EXPECT_EQ(ToString(*ParseJobFilter("kind=train AND state=FAILED")),
            ToString(*ParseJobFilter("state = FAILED AND kind = \"train\"")));
  EXPECT_NE(ToString(*ParseJobFilter("kind=train")), ToString(*ParseJobFilter("display_name=train")));
}

TEST(Matches, AsksForEveryCondition) {
  const Job job{.kind = "train", .display_name = "cello", .state = JobState::kFailed};
  for (const char* text : {"", "state=FAILED", "done=true AND kind=train", "display_name=cello"}) {
    EXPECT_TRUE(Matches(*ParseJobFilter(text), job)) << text;
  }
  for (const char* text : {"state=RUNNING", "done=false", "kind=render AND done=true", "display_name=cell"}) {
    EXPECT_FALSE(Matches(*ParseJobFilter(text), job)) << text;
  }
}

}  // namespace
}  // namespace ddsp::server
