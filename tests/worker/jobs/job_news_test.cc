#include "worker/jobs/job_news.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "absl/strings/str_cat.h"

namespace ddsp::worker {
namespace {

using testing::ElementsAre;

v1::HeartbeatRequest Tell(JobNews& news) {
  v1::HeartbeatRequest request;
  news.Tell(&request);
  return request;
}

v1::JobFile File(const std::string& path) {
  v1::JobFile file;
  file.set_path(path);
  return file;
}

TEST(JobNews, SaysNothingWhereNothingIsNew) {
  JobNews news({});
  EXPECT_TRUE(news.empty());
  const v1::HeartbeatRequest request = Tell(news);
  EXPECT_FALSE(request.has_progress());
  EXPECT_FALSE(request.has_checkpoint());
  EXPECT_EQ(request.log_lines_size(), 0);
}

TEST(JobNews, RepeatsWhatWasNotHeard) {
  JobNews news({});
  news.SetProgress(3, 10);
  news.SetMetric("loss", 2.5);
  news.SetCheckpoint(3, "abc");
  news.AddLine("hello");
  news.AddOutput("def");
  for (int i = 0; i < 3; ++i) {
    const v1::HeartbeatRequest request = Tell(news);
    EXPECT_EQ(request.progress().done(), 3);
    EXPECT_EQ(request.progress().metrics().at("loss"), 2.5);
    EXPECT_EQ(request.checkpoint().sha256(), "abc");
    EXPECT_THAT(request.outputs(), ElementsAre("def"));
    EXPECT_THAT(request.log_lines(), ElementsAre("hello"));
    EXPECT_FALSE(news.empty());
  }
  news.Heard();
  EXPECT_TRUE(news.empty());
}

// What comes while a heartbeat is under way was not in it.
TEST(JobNews, KeepsWhatCameAfterItWasTold) {
  JobNews news({});
  news.SetProgress(1, 10);
  news.SetCheckpoint(1, "one");
  news.AddLine("one");
  Tell(news);
  news.SetProgress(2, 10);
  news.SetCheckpoint(2, "two");
  news.AddLine("two");
  news.Heard();
  const v1::HeartbeatRequest request = Tell(news);
  EXPECT_EQ(request.progress().done(), 2);
  EXPECT_EQ(request.checkpoint().sha256(), "two");
  EXPECT_THAT(request.log_lines(), ElementsAre("two"));
}

// What a checkpoint names is held before it is the job's.
TEST(JobNews, TellsACheckpointWithTheLastOfTheOutputs) {
  JobNews news({});
  for (size_t i = 0; i < 2 * JobNews::kMaxOutputs + 1; ++i) news.AddOutput(absl::StrCat(i));
  news.SetCheckpoint(7, "record");
  for (int i = 0; i < 2; ++i) {
    const v1::HeartbeatRequest request = Tell(news);
    EXPECT_EQ(request.outputs_size(), 1000) << "the server takes no more";
    EXPECT_EQ(request.outputs(0), absl::StrCat(1000 * i));
    EXPECT_FALSE(request.has_checkpoint());
    news.Heard();
    EXPECT_FALSE(news.empty());
  }
  const v1::HeartbeatRequest last = Tell(news);
  EXPECT_THAT(last.outputs(), ElementsAre("2000"));
  EXPECT_EQ(last.checkpoint().sha256(), "record");
  news.Heard();
  EXPECT_TRUE(news.empty());
}

TEST(JobNews, GoesOnWithTheExamplesOfEarlierAttempts) {
  v1::JobProgress before;
  *before.add_examples() = File("a");
  *before.add_examples() = File("b");
  JobNews news(before);
  EXPECT_TRUE(news.empty());
  news.AddExample(File("a"));  // again, by an attempt that went on before it
  for (int i = 0; i < JobNews::kMaxExamples - 1; ++i) news.AddExample(File(absl::StrCat("c", i)));
  const v1::JobProgress progress = Tell(news).progress();
  EXPECT_EQ(progress.examples_size(), JobNews::kMaxExamples);
  EXPECT_EQ(progress.examples(0).path(), "a") << "b was the oldest";
}

TEST(JobNews, DropsTheOldestLinesAndSaysHowMany) {
  JobNews news({});
  for (size_t i = 0; i < JobNews::kMaxLines + 200; ++i) news.AddLine(absl::StrCat("line ", i));
  Tell(news);
  const v1::HeartbeatRequest request = Tell(news);
  EXPECT_LE(request.log_lines_size(), 1000) << "the server takes no more";
  EXPECT_THAT(request.log_lines(0), testing::HasSubstr("(201 lines are lost"));
  EXPECT_EQ(request.log_lines(1), "line 201");
  EXPECT_EQ(request.log_lines(request.log_lines_size() - 1), "line 1199");
}

TEST(JobNews, KeepsALineALine) {
  JobNews news({});
  news.AddLine("two\nlines");
  news.AddLine(std::string(999, 'x') + "\xc3\xa4");  // an umlaut across the bound
  const v1::HeartbeatRequest request = Tell(news);
  EXPECT_EQ(request.log_lines(0), "two lines");
  EXPECT_EQ(request.log_lines(1), std::string(999, 'x'));
}

TEST(JobNews, LeavesOutWhatIsNoNumber) {
  JobNews news({});
  news.SetMetric("loss", std::numeric_limits<double>::quiet_NaN());
  EXPECT_TRUE(news.empty());
}

}  // namespace
}  // namespace ddsp::worker
