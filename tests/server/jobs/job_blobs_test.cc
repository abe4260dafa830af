#include "server/jobs/job_blobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ddsp::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kA(64, 'a');
const std::string kB = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

TEST(DigestsIn, FindsEachOnceWhereverItIs) {
  EXPECT_THAT(DigestsIn(kB), ElementsAre(kB));
  EXPECT_THAT(DigestsIn("{\"sha256\":\"" + kA + "\",\"x\":[\"" + kB + "\",\"" + kA + "\"]}"), ElementsAre(kB, kA));
}

TEST(DigestsIn, TakesNothingThatIsLongerShorterOrOtherwise) {
  EXPECT_THAT(DigestsIn(""), IsEmpty());
  EXPECT_THAT(DigestsIn(kA + "a"), IsEmpty());
  EXPECT_THAT(DigestsIn(kA.substr(1)), IsEmpty());
  EXPECT_THAT(DigestsIn(std::string(64, 'A')), IsEmpty());
}

TEST(BlobsOf, AnEndedJobNeedsItsCheckpointOnlyWhereItFailed) {
  Job job;
  job.checkpoint.blob = kA;
  for (const auto& [state, needed] : {std::pair(JobState::kRunning, 1),
                                      {JobState::kRetryable, 1},
                                      {JobState::kFailed, 1},
                                      {JobState::kSucceeded, 0},
                                      {JobState::kCancelled, 0}}) {
    job.state = state;
    EXPECT_EQ(BlobsOf(job, BlobRole::kCheckpoint).size(), needed) << NameOf(state);
  }
}

TEST(Superseded, IsWhatNothingOfTheJobNamesAnyMore) {
  Job before, after;
  before.checkpoint.blob = kA;
  before.progress.examples = kB;
  after.checkpoint.blob = kB;
  after.progress.examples = "";
  EXPECT_THAT(Superseded(before, after), ElementsAre(kA)) << "the example is a checkpoint now";
}

}  // namespace
}  // namespace ddsp::server
