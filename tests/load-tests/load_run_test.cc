#include "load-tests/load_run.h"

#include <unistd.h>

#include "client/sdk/channel.h"
#include "core/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "load-tests/latency_plot.h"
#include "load-tests/load_report.h"
#include "load-tests/ramp.h"
#include "load-tests/server_process.h"
#include "tests/client/support/live_server.h"

namespace ddsp::loadtest {
namespace {

using ::ddsp::testing::LiveServer;
using ::ddsp::testing::TestMelody;
using ::testing::ElementsAre;
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

// 6400 samples of each stream: blocks of 320 up to sample 6400 - 832 are completed by its messages, the rest by its
// end.
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
}

TEST(RunLoad, CountsWhoIsRefusedAndGoesOnWithTheRest) {
  LiveServer small(kStreams - 1);
  LoadOptions options = Options(small);
  options.patience_s = 0;
  const auto result = RunLoad(options, {TestMelody(8000)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->refused, 1);
  EXPECT_EQ(result->lost_samples, 0);
  EXPECT_EQ(result->blocks, (kStreams - 1) * ((6400 - 832) / 320));
  EXPECT_FALSE(result->Passed(1e6));
}

// A place becomes free a moment after the streams have come.
TEST(RunLoad, WhoeverIsRefusedComesAgain) {
  LiveServer server(kStreams);
  const auto stub = v1::Synthesis::NewStub(client::MakeChannel(server.address()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  const auto sitting = stub->StreamSession(&context);
  v1::StreamSessionRequest request;
  request.mutable_config()->set_model("test-voice");
  request.mutable_config()->mutable_input_format()->set_encoding(v1::PCM_F32LE);
  request.mutable_config()->mutable_input_format()->set_sample_rate_hz(16000);
  v1::StreamSessionResponse started;
  ASSERT_TRUE(sitting->Write(request) && sitting->Read(&started));
  LoadOptions options = Options(server);
  options.stream.seconds = 2.5;
  const auto result = RunLoad(options, {TestMelody(8000)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->refused, 0);
  EXPECT_EQ(result->lost_samples, 0);
  EXPECT_EQ(sitting->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST(RunLoad, SharesConnections) {
  LiveServer server;
  LoadOptions options = Options(server);
  options.connections = 2;
  const auto result = RunLoad(options, {TestMelody(8000)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->lost_samples, 0);
}

// Nobody's samples get lost by others' misbehaviour. How late they are is for a machine with nothing else to do.
TEST(RunLoad, TroublemakersTakeNothingFromOthers) {
  LiveServer server;
  LoadOptions options = Options(server);
  options.troublemakers = 5;
  const auto result = RunLoad(options, {TestMelody(8000)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->lost_samples, 0);
  EXPECT_EQ(result->failed_streams, 0) << result->first_error;
}

// Long enough for each latecomer to call.
constexpr double kSecondsOfOverload = 1.5;

TEST(RunLoad, LatecomersAreRefusedAndTakeNothingFromThoseInside) {
  LiveServer full(kStreams);
  LoadOptions options = Options(full);
  options.stream.seconds = kSecondsOfOverload;
  options.latecomers = 2;
  const auto result = RunLoad(options, {TestMelody(8000)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->refused, 0);
  EXPECT_EQ(result->lost_samples, 0);
  EXPECT_GE(result->refusals.calls, 2);
  EXPECT_EQ(result->refusals.others, 0) << result->refusals.first_other;
  EXPECT_GT(result->refusals.p50_ms, 0);
  EXPECT_LE(result->refusals.p50_ms, result->refusals.max_ms);
}

TEST(RunLoad, CountsLatecomersThatAreLetIn) {
  LiveServer roomy;
  LoadOptions options = Options(roomy);
  options.stream.seconds = kSecondsOfOverload;
  options.latecomers = 2;
  const auto result = RunLoad(options, {TestMelody(8000)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_GE(result->refusals.others, 2);
  EXPECT_EQ(result->refusals.first_other, "a session began");
}

// Tries levels against a machine that holds `capacity`.
std::pair<int, std::vector<int>> RampTo(int capacity, int first = 32, int limit = 1024) {
  Ramp ramp(first, limit);
  std::vector<int> tried;
  while (ramp.next() > 0) {
    tried.push_back(ramp.next());
    ramp.Tell(ramp.next() <= capacity);
  }
  return {ramp.best(), tried};
}

TEST(Ramp, DoublesAndThenHalvesTheGap) {
  EXPECT_THAT(RampTo(300).second, ElementsAre(32, 64, 128, 256, 512, 384, 320, 288, 304));
  for (int capacity = 1; capacity < 1024; capacity += 7) {
    const auto [best, tried] = RampTo(capacity);
    EXPECT_LE(best, capacity);
    EXPECT_GE(best, capacity - std::max(1, capacity / 16)) << capacity;
    EXPECT_LE(tried.size(), 12u);
  }
}

TEST(Ramp, StopsAtTheLimitAndAtNothing) {
  EXPECT_THAT(RampTo(1 << 20, 32, 100).second, ElementsAre(32, 64, 100));
  EXPECT_EQ(RampTo(0).first, 0);
}

TEST(LoadReport, QuotesTheBestLevelOnTop) {
  LoadReport report{.codec = "pcm", .duration_s = 10, .deadline_ms = 40, .levels = {}, .best = 1};
  for (const int streams : {32, 64, 128}) {
    LoadResult level;
    level.streams = streams;
    level.p99_ms = streams / 2.0;
    report.levels.push_back(level);
  }
  const nlohmann::json figures = ToJson(report);
  EXPECT_EQ(figures["streams"], 64);
  EXPECT_EQ(figures["p99_ms"], 32.0);
  for (const char* key : {"duration_s", "p50_ms", "p95_ms", "p999_ms", "lost_samples", "underruns", "refused",
                          "cpu_cores", "rss_bytes_per_stream"}) {
    EXPECT_TRUE(figures.contains(key)) << key;
  }
  EXPECT_EQ(figures["levels"].size(), 3u);
}

TEST(LatencyPlot, IsWrittenAsPng) {
  LoadResult level;
  level.streams = 64, level.p50_ms = 2, level.p95_ms = 5, level.p99_ms = 9;
  LoadResult late = level;
  late.streams = 256, late.p99_ms = 1234;
  const std::string path = ::testing::TempDir() + "/latency.png";
  ASSERT_TRUE(DrawLatencies({late, level}, 40).SavePng(path).ok());
  EXPECT_THAT(ReadFile(path).value(), ::testing::StartsWith("\x89PNG"));
  EXPECT_TRUE(DrawLatencies({}, 40).SavePng(path).ok()) << "nothing was measured";
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
