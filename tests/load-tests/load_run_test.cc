#include "load-tests/load_run.h"

#include <unistd.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "load-tests/server_process.h"
#include "tests/client/support/live_server.h"

namespace ddsp::loadtest {
namespace {

using ::ddsp::testing::LiveServer;
using ::ddsp::testing::TestMelody;
using ::testing::HasSubstr;

constexpr int kStreams = 3;

LoadOptions Options(const LiveServer& server, const std::string& model = "test-voice") {
  LoadOptions options;
  options.server = server.address();
  options.streams = kStreams;
  options.stream.model = model;
  options.stream.seconds = 0.4;
  return options;
}

// 6400 samples of each stream: blocks of 320 up to sample 6400 - 832 are completed by its messages, the rest by its end.
TEST(RunLoad, CountsEveryBlockAndLosesNoSample) {
  LiveServer server;
  const auto result = RunLoad(Options(server), {TestMelody(8000), TestMelody(5000)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->failed_streams, 0) << result->first_error;
  EXPECT_EQ(result->lost_samples, 0);
  EXPECT_EQ(result->blocks, kStreams * ((6400 - 832) / 320));
  EXPECT_GT(result->p50_ms, 0);
  EXPECT_LE(result->p50_ms, result->p99_ms);
  EXPECT_LE(result->p99_ms, result->max_ms);
}

TEST(RunLoad, TakesOpusToo) {
  LiveServer server;
  LoadOptions options = Options(server);
  options.stream.codec = client::Codec::kOpus;
  const auto result = RunLoad(options, {TestMelody(8000)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->lost_samples, 0);
  EXPECT_GT(result->blocks, 0);
}

TEST(RunLoad, SaysWhyAServerRefuses) {
  LiveServer server;
  EXPECT_EQ(RunLoad(Options(server, "kazoo"), {TestMelody(8000)}).status().code(), absl::StatusCode::kNotFound);
  LiveServer small(kStreams - 1);
  EXPECT_EQ(RunLoad(Options(small), {TestMelody(8000)}).status().code(), absl::StatusCode::kUnavailable);
}

TEST(LoadResult, PassesOnlyWhenNothingIsLateOrLost) {
  LoadResult result;
  EXPECT_FALSE(result.Passed(40)) << "no blocks";
  result.blocks = 100, result.p99_ms = 40;
  EXPECT_TRUE(result.Passed(40));
  result.p99_ms = 40.1;
  EXPECT_FALSE(result.Passed(40));
  result.p99_ms = 1, result.lost_samples = 1;
  EXPECT_FALSE(result.Passed(40));
}

TEST(ServerProcess, TellsItsUsageAndWhyItDidNotStart) {
  const auto usage = UsageOf(getpid());
  ASSERT_TRUE(usage.ok()) << usage.status();
  EXPECT_GT(usage->resident_bytes, 1 << 20);
  const auto missing = ServerProcess::Start("/nonexistent/ddsp-server", {});
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("/nonexistent/ddsp-server"));
}

}  // namespace
}  // namespace ddsp::loadtest
