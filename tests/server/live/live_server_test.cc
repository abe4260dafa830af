// The whole server over real connections, with an engine that gives back what it is fed.
#include "tests/server/live/live_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ddsp::server {
namespace {

using namespace ddsp::testing;  // NOLINT: the test's own vocabulary
using Response = v1::StreamSessionResponse;

// A clock that steps of an engine move, and nothing else.
class StepClock : public Clock {
 public:
  absl::Time Now() const override { return absl::UnixEpoch() + absl::Nanoseconds(now_.load()); }
  void Advance(absl::Duration by) { now_ += absl::ToInt64Nanoseconds(by); }

 private:
  std::atomic<int64_t> now_{0};
};

class LiveServerTest : public ::testing::Test {
 protected:
  void Serve(int sessions = 8) {
    auto server = Server::Start(LocalOptions(sessions), FakeVoices(sessions));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = ChannelTo(server_->port());
    stub_ = v1::Synthesis::NewStub(channel_);
  }

  StepClock clock_;  // of servers that are told so
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

// An engine whose steps take 3 ms a stream.
class SlowEngine : public FakeEngine {
 public:
  SlowEngine(int slots, StepClock& clock) : FakeEngine(slots), clock_(clock) {}
  absl::Span<const absl::Status> Step(absl::Span<const HopRequest> requests, StepWorkspace& workspace) override {
    clock_.Advance(requests.size() * absl::Milliseconds(3));
    return FakeEngine::Step(requests, workspace);
  }

 private:
  StepClock& clock_;
};

// Five streams of 3 ms a hop fill three quarters of the device; there are slots for more, but no time.
TEST_F(LiveServerTest, RefusesWhoWouldCostTheOthersTheirLatency) {
  std::vector<VoiceListing> voices(1);
  voices[0].model = "violin";
  voices[0].version = 1;
  voices[0].engine = std::make_unique<SlowEngine>(16, clock_);
  auto registry =
      std::make_unique<Registry>(std::move(voices), std::make_unique<FeatureEngine>(*FeatureExtractor::Create({}), 16));
  ServerOptions options = LocalOptions(16);
  options.threads = 1;
  options.max_batch_wait = absl::ZeroDuration();  // this clock stands still meanwhile
  server_ = *Server::Start(options, std::move(registry), clock_);
  stub_ = v1::Synthesis::NewStub(ChannelTo(server_->port()));
  std::vector<std::unique_ptr<LiveCall>> calls;
  bool started = true;
  while (started) {
    ASSERT_LE(calls.size(), 5u);
    calls.push_back(std::make_unique<LiveCall>(*stub_));
    calls.back()->Send(Request(FloatConfig()));
    const auto answer = calls.back()->Read();
    started = answer.has_value() && answer->has_started();
  }
  EXPECT_GE(calls.size(), 4u) << "the machine's cores count as well, however few";
  LiveCall& refused = *calls.back();
  EXPECT_EQ(refused.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(refused.info().reason(), "SESSION_SLOTS_EXHAUSTED");
  EXPECT_EQ(refused.info().metadata().at("demand"), absl::StrFormat("%.2f", 0.15 * (calls.size() - 1)));
  EXPECT_EQ(refused.trailer("grpc-retry-pushback-ms"), "1000");
  EXPECT_TRUE(refused.context().GetServerInitialMetadata().empty());
  EXPECT_THAT(
      server_->MetricsText(),
      ::testing::HasSubstr("ddsp_sessions_rejected_total{model=\"violin\",reason=\"SESSION_SLOTS_EXHAUSTED\"} 1"));
  server_->KeepHouse();
  EXPECT_THAT(server_->MetricsText(), ::testing::HasSubstr("ddsp_device_demand_ratio{device=\"cpu\"} 0."));
  // The admitted are served.
  calls[0]->Send(AudioRequest(0, 0, std::vector<float>(3200, 0.5f)));
  calls[0]->HalfClose();
  EXPECT_TRUE(calls[0]->Finish().ok());
}

TEST_F(LiveServerTest, RefusesADeviceThatIsNone) {
  ServerOptions options = LocalOptions(1);
  options.device = "gpu";
  const absl::Status status = Server::Start(options, FakeVoices(1)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("device 'gpu' is neither 'cpu' nor 'cuda:N'"));
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
