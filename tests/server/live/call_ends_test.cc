// Calls that end as no error of ours does: by deadlines, resets and broken connections; and refused calls that a stock
// client takes elsewhere. Nothing is left of any of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/server/live/error_rig.h"

namespace ddsp::testing {
namespace {

constexpr char kStream[] = "/ddsp.v1.Synthesis/StreamSession", kRender[] = "/ddsp.v1.Synthesis/Render";

class CallEnds : public ::testing::Test {
 protected:
  CallEnds() { rig_.Serve(); }
  ~CallEnds() override { rig_.ExpectFree(); }
  ErrorRig rig_;
};

TEST_F(CallEnds, ADeadlineFreesItsSlot) {
  const auto stub = rig_.synthesis();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
  const auto stream = stub->StreamSession(&context);
  stream->Write(Request(FloatConfig()));
  v1::StreamSessionResponse response;
  ASSERT_TRUE(stream->Read(&response) && response.has_started());
  stream->Write(AudioRequest(0, 0, Ramp(16000)));
  while (stream->Read(&response)) continue;
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

// A client would not send it at all.
TEST_F(CallEnds, ADeadlineThatHasPassedIsNoSession) {
  RawHttp2 client(rig_.server->port());
  const int stream = client.Begin(kStream, {{"grpc-timeout", "1n"}});
  client.Send(stream, Request(FloatConfig()).SerializeAsString(), RawHttp2::After::kMore);
  const RawHttp2::Answer answer = client.Read(stream);
  EXPECT_TRUE(answer.ended || answer.reset) << "by the server, on whom nobody waits";
  AwaitSessions(*rig_.server, 0);
}

TEST_F(CallEnds, AResetFreesItsSlot) {
  RawHttp2 client(rig_.server->port());
  const std::string config = Request(FloatConfig()).SerializeAsString(),
                    audio = AudioRequest(0, 0, Ramp(3000)).SerializeAsString();
  // After the headers, after the config, after audio, and within a message.
  for (const int messages : {0, 1, 2, 3}) {
    const int stream = client.Begin(kStream);
    if (messages > 0) client.Send(stream, config, RawHttp2::After::kMore);
    if (messages > 1) client.Send(stream, audio, RawHttp2::After::kMore);
    if (messages > 2) client.SendPart(stream, 5000, audio.substr(0, 100));
    AwaitSessions(*rig_.server, 1);
    client.Reset(stream);
    AwaitSessions(*rig_.server, 0);
  }
}

TEST_F(CallEnds, AResetOfARecordingStopsIt) {
  v1::RenderRequest request;
  *request.mutable_config() = FloatConfig();
  request.set_audio(std::string(16000, '\0'));
  RawHttp2 client(rig_.server->port());
  for (int i = 0; i < 20; ++i) {
    const int stream = client.Begin(kRender);
    client.Send(stream, request.SerializeAsString(), RawHttp2::After::kEnd);
    client.Reset(stream);
  }
  AwaitSessions(*rig_.server, 0);
}

TEST_F(CallEnds, AConnectionThatBreaksFreesItsSlots) {
  RawHttp2 client(rig_.server->port());
  for (int i = 0; i < rig_.options.max_sessions; ++i) {
    const int stream = client.Begin(kStream);
    client.Send(stream, Request(FloatConfig()).SerializeAsString(), RawHttp2::After::kMore);
    client.SendPart(stream, 5000, "the rest never comes");
  }
  AwaitSessions(*rig_.server, rig_.options.max_sessions);
  client.HangUp();
  AwaitSessions(*rig_.server, 0);
}

TEST_F(CallEnds, AnOversizedMessageIsRefused) {
  const std::vector<float> long_block((size_t{5} << 20) / sizeof(float));
  EXPECT_EQ(rig_.PlayAndSend({AudioRequest(0, 0, long_block)}).code, grpc::StatusCode::RESOURCE_EXHAUSTED);
  AwaitSessions(*rig_.server, 0);
  v1::RenderRequest request;
  *request.mutable_config() = FloatConfig();
  request.set_audio(FloatBytes(long_block));
  EXPECT_EQ(rig_.Ask(Refuse(kRender, request)).code, grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// ---------------------------------------------------------------- refused here, served there

class TwoReplicas : public ::testing::Test {
 protected:
  TwoReplicas() {
    for (ErrorRig* replica : {&refusing_, &willing_}) replica->Serve();
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetServiceConfigJSON(R"({"loadBalancingConfig": [{"round_robin": {}}], "methodConfig": [{
        "name": [{"service": "ddsp.v1.Synthesis"}], "retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.01s",
        "maxBackoff": "0.1s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]})");
    stub_ = v1::Synthesis::NewStub(grpc::CreateCustomChannel(
        absl::StrCat("ipv4:127.0.0.1:", refusing_.server->port(), ",127.0.0.1:", willing_.server->port()),
        grpc::InsecureChannelCredentials(), arguments));
    // The client has reached both.
    while (Started(refusing_) == 0 || Started(willing_) == 0) Play();
  }
  ~TwoReplicas() override { willing_.ExpectFree(); }

  static double Started(const ErrorRig& replica) {
    return MetricOf(*replica.server, "ddsp_sessions_started_total{model=\"violin\",transport=\"grpc\"}");
  }

  void Play() {
    LiveCall call(*stub_);
    call.Send(Request(FloatConfig()));
    const auto started = call.Read();
    ASSERT_TRUE(started.has_value() && started->has_started()) << call.Finish().error_message();
    call.HalfClose();
    EXPECT_TRUE(call.Finish().ok()) << call.Finish().error_message();
  }

  // Sessions one after the other, until the replica has refused one.
  void PlayUntilRefused(const std::string& reason) {
    const std::string refused =
        absl::StrCat("ddsp_sessions_rejected_total{model=\"", reason == "SERVER_DRAINING" ? "unknown" : "violin",
                     "\",reason=\"", reason, "\"}");
    do {
      Play();
    } while (MetricOf(*refusing_.server, refused) == 0);
  }

  ErrorRig refusing_, willing_;
  std::unique_ptr<v1::Synthesis::Stub> stub_;
};

// Trailers-Only is what makes a retry policy go on; the server's hint says when.
TEST_F(TwoReplicas, AStockClientGetsPastAFullOne) {
  std::vector<std::shared_ptr<LiveCall>> playing;
  for (int i = 0; i < refusing_.options.max_sessions; ++i) playing.push_back(refusing_.Play());
  PlayUntilRefused("SESSION_SLOTS_EXHAUSTED");
}

TEST_F(TwoReplicas, AStockClientGetsPastADrainingOne) {
  refusing_.server->BeginDrain();
  PlayUntilRefused("SERVER_DRAINING");
}

}  // namespace
}  // namespace ddsp::testing
