// The whole server over real connections, with an engine that gives back what it is fed.
#include "tests/server/live/live_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "absl/strings/str_cat.h"

namespace ddsp::server {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using Response = v1::StreamSessionResponse;

class LiveServerTest : public ::testing::Test {
 protected:
  void Serve(int sessions = 8) {
    auto server = Server::Start(LocalOptions(sessions), FakeVoices(sessions));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = ChannelTo(server_->port());
    stub_ = v1::Synthesis::NewStub(channel_);
  }

  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Synthesis::Stub> stub_;
};

class LiveChunkTest : public LiveServerTest, public ::testing::WithParamInterface<int> {};

TEST_P(LiveChunkTest, EverySampleComesBackWhateverTheChunks) {
  Serve();
  const std::vector<float> input = Ramp(3000);
  std::vector<float> expected = input;
  expected.resize(3700, 0.0f);
  EXPECT_EQ(StreamThrough(*stub_, FloatConfig(), input, GetParam()), expected);
}
INSTANTIATE_TEST_SUITE_P(Sizes, LiveChunkTest, ::testing::Values(1, 7, 319, 320, 321, 997, 3000));

TEST_F(LiveServerTest, SecondLongBlocksFlowOnCredit) {
  Serve();
  EXPECT_EQ(StreamThrough(*stub_, FloatConfig(), Ramp(160000), 16000).size(), 160700u);
}

TEST_F(LiveServerTest, ErrorsCarryDetails) {
  Serve();
  LiveCall call(*stub_);
  call.Send(Request(FloatConfig()));
  call.Send(AudioRequest(3, 0, Ramp(10)));
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(call.info().reason(), "BLOCK_SEQUENCE_GAP");
  EXPECT_EQ(call.info().domain(), "ddsp.dev");
  EXPECT_EQ(call.info().metadata().at("expected"), "0");
  EXPECT_EQ(call.info().metadata().at("got"), "3");
}

TEST_F(LiveServerTest, RefusalComesWithoutInitialMetadata) {
  Serve(/*sessions=*/1);
  LiveCall first(*stub_), second(*stub_);
  first.Send(Request(FloatConfig()));
  ASSERT_TRUE(first.Read()->has_started());
  second.Send(Request(FloatConfig()));
  EXPECT_EQ(second.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(second.info().reason(), "SESSION_SLOTS_EXHAUSTED");
  EXPECT_EQ(second.trailer("grpc-retry-pushback-ms"), "1000");
  EXPECT_TRUE(second.context().GetServerInitialMetadata().empty());
}

// A stock retry policy reaches the second server, which it does only for a Trailers-Only refusal.
TEST_F(LiveServerTest, ARefusedCallIsRetriedByAStockClient) {
  Serve(/*sessions=*/1);
  LiveCall first(*stub_);
  first.Send(Request(FloatConfig()));
  ASSERT_TRUE(first.Read()->has_started());
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(R"({"methodConfig": [{"name": [{"service": "ddsp.v1.Synthesis"}], "retryPolicy": {
      "maxAttempts": 3, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]}}]})");
  const auto retrying = grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", server_->port()),
                                                  grpc::InsecureChannelCredentials(), arguments);
  const auto stub = v1::Synthesis::NewStub(retrying);
  LiveCall second(*stub);
  second.Send(Request(FloatConfig()));
  first.HalfClose();
  ASSERT_TRUE(first.Finish().ok());
  const auto started = second.Read();
  ASSERT_TRUE(started.has_value());
  EXPECT_TRUE(started->has_started());
}

TEST_F(LiveServerTest, AVanishedClientFreesItsSlot) {
  Serve(/*sessions=*/1);
  {
    LiveCall first(*stub_);
    first.Send(Request(FloatConfig()));
    ASSERT_TRUE(first.Read()->has_started());
  }
  // The cancellation travels on its own: the next client asks until it is there.
  for (int i = 0; i < 1000; ++i) {
    LiveCall next(*stub_);
    next.Send(Request(FloatConfig()));
    if (const auto response = next.Read(); response.has_value()) {
      EXPECT_TRUE(response->has_started());
      return;
    }
  }
  FAIL() << "the slot never came back";
}

TEST_F(LiveServerTest, AClientThatNeverReadsIsTooSlow) {
  ServerOptions options = LocalOptions(2);
  options.limits.output_stall_timeout = absl::Milliseconds(50);
  server_ = *Server::Start(options, FakeVoices(2));
  stub_ = v1::Synthesis::NewStub(ChannelTo(server_->port()));
  v1::SessionConfig config = FloatConfig();
  config.set_output_credit(320);  // stands for a reader that takes one block and stops
  LiveCall call(*stub_);
  call.Send(Request(config));
  ASSERT_TRUE(call.Read()->has_started());
  call.Send(AudioRequest(0, 0, std::vector<float>(8000)));
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(call.info().reason(), "CLIENT_TOO_SLOW");
}

TEST_F(LiveServerTest, ManyStreamsAtOnceKeepTheirSamples) {
  Serve(/*sessions=*/32);
  std::vector<std::thread> threads;
  std::vector<std::vector<float>> answers(32);
  for (int i = 0; i < 32; ++i) {
    threads.emplace_back([&, i] {
      answers[i] =
          StreamThrough(*stub_, FloatConfig(), std::vector<float>(5000, static_cast<float>(i + 1)), 200 + 11 * i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 32; ++i) {
    std::vector<float> expected(5000, static_cast<float>(i + 1));
    expected.resize(5700, 0.0f);
    EXPECT_EQ(answers[i], expected) << "stream " << i;
  }
}

TEST_F(LiveServerTest, DrainLetsLiveSessionsEnd) {
  Serve();
  LiveCall live(*stub_);
  live.Send(Request(FloatConfig()));
  ASSERT_TRUE(live.Read()->has_started());
  server_->BeginDrain();
  EXPECT_EQ(live.Read()->event().kind(), v1::SessionEvent::DRAINING);
  LiveCall late(*stub_);
  late.Send(Request(FloatConfig()));
  EXPECT_EQ(late.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(late.info().reason(), "SERVER_DRAINING");
  EXPECT_EQ(late.trailer("grpc-retry-pushback-ms"), "0");
  live.Send(AudioRequest(0, 0, Ramp(1000)));
  live.HalfClose();
  EXPECT_TRUE(live.Finish().ok());
  EXPECT_EQ(live.rest.back().summary().output_samples(), 1700u);
}

TEST_F(LiveServerTest, DrainCutsWhatIsLeftAndSaysWhere) {
  Serve();
  LiveCall live(*stub_);
  live.Send(Request(FloatConfig()));
  ASSERT_TRUE(live.Read()->has_started());
  server_->BeginDrain();
  server_->FinishDrain(absl::ZeroDuration());
  EXPECT_EQ(live.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(live.info().reason(), "SERVER_DRAINING");
  EXPECT_EQ(live.info().metadata().at("input_samples"), "0");
}

TEST_F(LiveServerTest, ATakenPortIsAnError) {
  Serve();
  ServerOptions options = LocalOptions(1);
  options.listen = absl::StrCat("127.0.0.1:", server_->port());
  const absl::Status error = Server::Start(options, FakeVoices(1)).status();
  EXPECT_EQ(error.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(error.message()), ::testing::HasSubstr(options.listen));
}

TEST_F(LiveServerTest, MetricsCountSessions) {
  Serve();
  StreamThrough(*stub_, FloatConfig(), Ramp(16000), 320);
  const std::string text = server_->MetricsText();
  EXPECT_THAT(text, ::testing::HasSubstr("ddsp_sessions_started_total{model=\"violin\",transport=\"grpc\"} 1"));
  EXPECT_THAT(text, ::testing::HasSubstr("ddsp_sessions_ended_total{model=\"violin\",reason=\"client_close\"} 1"));
  EXPECT_THAT(text, ::testing::HasSubstr("ddsp_audio_seconds_total{direction=\"in\",model=\"violin\"} 1"));
  const std::string call = "method=\"ddsp.v1.Synthesis/StreamSession\"";
  EXPECT_THAT(text, ::testing::HasSubstr(absl::StrCat("grpc_server_call_started_total{", call, "} 1")));
  EXPECT_THAT(
      text, ::testing::HasSubstr(absl::StrCat("grpc_server_call_duration_seconds_count{", call, ",status=\"OK\"} 1")));
}

}  // namespace
}  // namespace ddsp::server
