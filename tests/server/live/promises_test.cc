// What an operator may rely on, where no other test shows it on a real server. All promises with their tests:
// tests/server/promises.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "ddsp/v1/sessions.pb.h"
#include "grpc/health/v1/health.pb.h"
#include "inference/grpc_service.grpc.pb.h"
#include "server/rpc/unary_call.h"
#include "server/rpc/wire.h"
#include "tests/server/kserve/infer_requests.h"
#include "tests/server/live/error_rig.h"
#include "tests/server/live/valve_engine.h"

namespace ddsp::testing {
namespace {

constexpr char kRender[] = "/ddsp.v1.Synthesis/Render";

class PromisesTest : public ::testing::Test {
 protected:
  // Its steps wait for the valve, its clock for the test.
  void ServeWithValve() {
    rig_.make_engine = [this](int slots) { return std::make_unique<ValveEngine>(slots, valve_); };
    rig_.options.max_batch_wait = absl::ZeroDuration();
    rig_.Serve();
  }

  const std::shared_ptr<Valve> valve_ = std::make_shared<Valve>();
  ErrorRig rig_;
};

// ---------------------------------------------------------------- draining

// Load balancers learn of it meanwhile.
TEST_F(PromisesTest, BetweenTheAnnouncementAndTheDrainSessionsAreTaken) {
  rig_.Serve();
  rig_.server->AnnounceDrain();
  grpc::health::v1::HealthCheckRequest health;
  const auto answer = rig_.Ask<grpc::health::v1::HealthCheckResponse>("/grpc.health.v1.Health/Check", health);
  EXPECT_EQ(answer.status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  rig_.ExpectFree();
  rig_.server->BeginDrain();
  EXPECT_EQ(rig_.Ask(Refuse("/ddsp.v1.Synthesis/StreamSession", Request(FloatConfig()))).reason, "SERVER_DRAINING");
}

// ---------------------------------------------------------------- overload

// Theorem: of any number who come at once, as many as there are slots are let in.
TEST_F(PromisesTest, OfACrowdAsManyAsThereAreSlotsAreLetIn) {
  rig_.options.max_sessions = 5;
  rig_.Serve();
  std::vector<std::future<std::shared_ptr<LiveCall>>> crowd;
  const auto stub = rig_.synthesis();
  for (int i = 0; i < 20; ++i) {
    crowd.push_back(std::async(std::launch::async, [&] {
      auto call = std::make_shared<LiveCall>(*stub);
      call->Send(Request(FloatConfig()));
      const auto started = call->Read();
      if (started.has_value()) return call;
      EXPECT_EQ(call->info().reason(), "SESSION_SLOTS_EXHAUSTED");
      return std::shared_ptr<LiveCall>();
    }));
  }
  std::vector<std::shared_ptr<LiveCall>> admitted;
  for (auto& one : crowd) {
    if (auto call = one.get(); call != nullptr) admitted.push_back(std::move(call));
  }
  EXPECT_EQ(admitted.size(), 5u);
  EXPECT_EQ(MetricOf(*rig_.server, "ddsp_sessions_rejected_total{model=\"violin\",reason=\"SESSION_SLOTS_EXHAUSTED\"}"),
            15);
  admitted.clear();
  rig_.ExpectFree();
}

// ---------------------------------------------------------------- deadlines

TEST_F(PromisesTest, ADeadlineStopsARecordingInTheMiddle) {
  ServeWithValve();
  v1::RenderRequest request;
  *request.mutable_config() = FloatConfig();
  request.set_audio(std::string(160000 * sizeof(float), '\0'));  // 500 hops
  valve_->Close();
  const int before = valve_->passed();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  v1::RenderResponse response;
  EXPECT_EQ(rig_.synthesis()->Render(&context, request, &response).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  // The server has heard of it when the session is gone from its books.
  AwaitSessions(*rig_.server, 0);
  valve_->Open();
  rig_.ExpectFree();
  EXPECT_LE(valve_->passed() - before, 20) << "the hop that was under way, and none of 500 but it";
}

// Each block of a live stream has its deadline: it is counted when it passes, and the block comes all the same.
TEST_F(PromisesTest, ALateBlockIsCountedAndComes) {
  ServeWithValve();
  v1::SessionConfig config = FloatConfig();
  config.mutable_max_block_latency()->set_nanos(20'000'000);
  const auto call = rig_.Play(config);
  valve_->Close();
  call->Send(AudioRequest(0, 0, Ramp(1600)));
  v1::StreamSessionRequest ping;
  ping.mutable_ping()->set_client_time_ns(1);
  call->Send(ping);
  while (!call->Read().value().has_pong()) continue;  // the audio is there, and waits for the device
  rig_.clock.Advance(absl::Seconds(1));
  valve_->Open();
  call->HalfClose();
  ASSERT_TRUE(call->Finish().ok());
  std::vector<float> audio, expected = Ramp(1600);
  for (const auto& response : call->rest) {
    const std::vector<float> block = FloatsOf(response.audio().data());
    audio.insert(audio.end(), block.begin(), block.end());
  }
  expected.resize(1600 + kVstFormat.tail, 0.0f);
  EXPECT_EQ(audio, expected);
  EXPECT_GE(MetricOf(*rig_.server, "ddsp_block_deadline_missed_total{model=\"violin\"}"), 1);
  rig_.ExpectFree();
}

// A call that waits for a thread when its client gives up never gets one.
TEST(UnaryCallTest, WorkThatNobodyWaitsForIsNotDone) {
  using grpc::health::v1::HealthCheckRequest;
  using grpc::health::v1::HealthCheckResponse;
  server::WorkQueue queue({.threads = 1, .max_waiting = 4});
  Valve valve;
  valve.Close();
  std::promise<void> begun;
  ASSERT_TRUE(queue
                  .Post([&] {
                    begun.set_value();
                    valve.Pass();
                  })
                  .ok());
  begun.get_future().wait();
  std::atomic<int> asked = 0, done = 0;
  server::Wire wire;
  auto methods = std::make_unique<server::MethodTable>();
  methods->Add("test.Slow", "Work", [&](server::Call& call) {
    ++asked;
    return server::MakeUnaryCall<HealthCheckRequest, HealthCheckResponse>(call, &queue, [&](const auto&, auto*) {
      ++done;
      return absl::OkStatus();
    });
  });
  server::Endpoint* const endpoint = *wire.Open({.address = "127.0.0.1:0"}, std::move(methods));
  wire.Serve();
  RawHttp2 client(endpoint->port());
  for (int i = 0; i < 3; ++i) {
    const int stream = client.Begin("/test.Slow/Work");
    client.Send(stream, "", RawHttp2::After::kEnd);
    if (i == 0) continue;  // that one is waited for
    while (asked <= i) std::this_thread::yield();
    client.Reset(stream);
  }
  // What is read after a reset was sent after it: the server knows of both.
  const int later = client.Begin("/test.Slow/Nothing");
  client.Send(later, "", RawHttp2::After::kEnd);
  EXPECT_TRUE(client.Read(later).ended);
  valve.Open();
  while (done == 0 || endpoint->live_calls() > 0) std::this_thread::yield();
  EXPECT_EQ(done, 1);
}

// ---------------------------------------------------------------- clients that are there no more, or read nothing

// A phone that lost its network says nothing, and its connection stays as it was.
TEST_F(PromisesTest, ADeadClientIsFoundByKeepalive) {
  rig_.options.keepalive_time = rig_.options.keepalive_timeout = absl::Milliseconds(100);
  rig_.Serve();
  RawHttp2 dead(rig_.server->port());
  const int stream = dead.Begin("/ddsp.v1.Synthesis/StreamSession");
  dead.Send(stream, Request(FloatConfig()).SerializeAsString(), RawHttp2::After::kMore);
  AwaitSessions(*rig_.server, 1);
  AwaitSessions(*rig_.server, 0);  // it never answers a ping
  rig_.ExpectFree();
}

TEST_F(PromisesTest, WhoReadsNothingStallsNobody) {
  rig_.Serve();
  v1::SessionConfig deaf_config = FloatConfig();
  deaf_config.set_output_credit(1);
  const auto deaf = rig_.Play(deaf_config);
  deaf->Send(AudioRequest(0, 0, Ramp(16000)));
  std::vector<float> expected = Ramp(32000);
  expected.resize(32000 + kVstFormat.tail, 0.0f);
  EXPECT_EQ(StreamThrough(*rig_.synthesis(), FloatConfig(), Ramp(32000), 500), expected);
  AwaitSessions(*rig_.server, 1);  // the deaf one is still there
  deaf->Cancel();
  EXPECT_EQ(deaf->Finish().error_code(), grpc::StatusCode::CANCELLED);
  rig_.ExpectFree();
}

// ---------------------------------------------------------------- quotas

using inference::ModelInferRequest;
using inference::ModelStreamInferResponse;

// A stream of the Open Inference Protocol holds many sequences; each is a session of its tenant.
TEST_F(PromisesTest, SequencesOfOneCallCountAsSessions) {
  rig_.AskForKeys("max_sessions: 2");
  rig_.options.max_sessions = 8;
  rig_.Serve();
  const auto stub = inference::GRPCInferenceService::NewStub(rig_.channel());
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer player");
  const auto stream = stub->ModelStreamInfer(&context);
  const auto ask = [&](const ModelInferRequest& request) {
    ModelStreamInferResponse response;
    EXPECT_TRUE(stream->Write(request) && stream->Read(&response));
    return response.error_message();
  };
  EXPECT_EQ(ask(InferPart(1, Part::kStart, Ramp(320))), "");
  EXPECT_EQ(ask(InferPart(2, Part::kStart, Ramp(320))), "");
  EXPECT_THAT(ask(InferPart(3, Part::kStart, Ramp(320))), ::testing::StartsWith("SESSION_QUOTA_EXCEEDED: "));
  const Refused native = Refuse("/ddsp.v1.Synthesis/StreamSession", Request(FloatConfig()), With("player"));
  EXPECT_EQ(rig_.Ask(native).reason, "SESSION_QUOTA_EXCEEDED") << "they count together";
  EXPECT_EQ(ask(InferPart(2, Part::kMiddle, Ramp(320))), "") << "those that play are not touched";
  EXPECT_EQ(ask(InferPart(1, Part::kEnd, Ramp(320))), "");
  // The answer may come before the slot is back.
  while (!ask(InferPart(3, Part::kStart, Ramp(320))).empty()) std::this_thread::yield();
  stream->WritesDone();
  ModelStreamInferResponse rest;
  while (stream->Read(&rest)) continue;
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_GE(MetricOf(*rig_.server, "ddsp_calls_refused_total{reason=\"SESSION_QUOTA_EXCEEDED\"}"), 2);
  rig_.options.max_sessions = 2;
  rig_.ExpectFree();
}

}  // namespace
}  // namespace ddsp::testing
