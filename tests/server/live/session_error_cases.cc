#include <cmath>
#include <fstream>

#include "ddsp/v1/sessions.pb.h"
#include "tests/server/live/error_cases.h"
#include "tests/server/live/valve_engine.h"

namespace ddsp::testing {
namespace {

using grpc::StatusCode;

constexpr char kStream[] = "/ddsp.v1.Synthesis/StreamSession";

v1::SessionConfig Encoded(v1::AudioEncoding encoding) {
  v1::SessionConfig config = FloatConfig();
  config.mutable_input_format()->set_encoding(encoding);
  return config;
}

Refused RefuseConfig(const v1::SessionConfig& config, std::shared_ptr<void> held = nullptr) {
  return Refuse(kStream, Request(config), {}, std::move(held));
}

// A session of a server that nothing else is wrong with, which is then sent these.
auto HavingSent(std::vector<v1::StreamSessionRequest> requests, const v1::SessionConfig& config = FloatConfig()) {
  return [requests = std::move(requests), config](ErrorRig& rig) {
    rig.Serve();
    return rig.PlayAndSend(requests, config);
  };
}

Ending SendMoreThanCredit(ErrorRig& rig) {
  const auto valve = std::make_shared<Valve>();
  rig.make_engine = [valve](int slots) { return std::make_unique<ValveEngine>(slots, valve); };
  rig.options.max_batch_wait = absl::ZeroDuration();  // this clock stands still meanwhile
  rig.Serve();
  valve->Close();
  const auto call = rig.Play();
  const std::vector<float> block(16000, 0.1f);
  for (uint64_t k = 0; k < 4; ++k) call->Send(AudioRequest(k, k * block.size(), block));
  const Ending ending = EndingOf(*call);
  valve->Open();
  return ending;
}

Ending ReadNothing(ErrorRig& rig) {
  rig.options.limits.output_stall_timeout = absl::Seconds(1);
  rig.options.limits.idle_timeout = absl::Hours(10000);
  rig.Serve();
  v1::SessionConfig config = FloatConfig();
  config.set_output_credit(320);  // stands for a reader that takes one block and stops
  const auto call = rig.Play(config);
  call->Send(AudioRequest(0, 0, std::vector<float>(8000)));
  // In small steps: to a clock that leaps, a message that is on its way would look as if nobody took it.
  return rig.PassTimeToTheEndOf(*call, absl::Milliseconds(1));
}

// The device stands still for a second under two sessions; the last to come goes.
Ending PlayOnAFullDevice(ErrorRig& rig) {
  const auto valve = std::make_shared<Valve>();
  rig.make_engine = [valve](int slots) { return std::make_unique<ValveEngine>(slots, valve); };
  rig.options.threads = 1;
  rig.options.max_batch_wait = absl::ZeroDuration();
  rig.options.max_device_load = 1;
  rig.options.shed_after = absl::Nanoseconds(1);
  rig.options.limits.idle_timeout = rig.options.limits.output_stall_timeout = absl::Hours(10000);
  rig.Serve();
  const auto first = rig.Play();
  rig.clock.Advance(absl::Seconds(1));
  const auto last = rig.Play();
  valve->Close();
  for (const auto& call : {first, last}) call->Send(AudioRequest(0, 0, std::vector<float>(2000)));
  valve->AwaitVisitor();
  rig.clock.Advance(absl::Seconds(1));
  valve->Open();
  // In the smallest steps: the load is that of the last second.
  const Ending ending = rig.PassTimeToTheEndOf(*last, absl::Nanoseconds(1));
  first->HalfClose();
  EXPECT_EQ(EndingOf(*first).code, StatusCode::OK) << "who came first stays";
  rig.clock.Advance(absl::Minutes(1));  // and is forgotten
  return ending;
}

Ending SayNothing(ErrorRig& rig) {
  rig.options.limits.output_stall_timeout = absl::Hours(10000);  // the clock leaps while messages are on their way
  rig.Serve();
  const auto call = rig.Play(WithSnapshots());
  rig.clock.Advance(rig.options.limits.idle_timeout / 2);
  rig.server->KeepHouse();
  bool warned = false, has_snapshot = false;
  while (!warned || !has_snapshot) {
    const auto response = call->Read();
    if (!response.has_value()) break;
    warned |= response->event().kind() == v1::SessionEvent::IDLE_WARNING;
    has_snapshot |= response->has_snapshot();
  }
  EXPECT_TRUE(warned && has_snapshot);
  rig.clock.Advance(rig.options.limits.idle_timeout / 2);
  rig.server->KeepHouse();
  return EndingOf(*call);
}

Refused ResumeWhereItsVoiceIsNot(ErrorRig& rig) {
  rig.options.session_key_file = rig.folder.path() + "/session_keys";
  std::ofstream(rig.options.session_key_file) << std::string(32, 'k') << '\n';
  rig.Serve(/*version=*/1);
  const auto call = rig.Play(WithSnapshots());
  rig.server->BeginDrain();
  EXPECT_EQ(EndingOf(*call).reason, "SERVER_DRAINING");
  std::string snapshot;
  for (const auto& response : call->rest) {
    if (response.has_snapshot()) snapshot = response.snapshot().data();
  }
  rig.Serve(/*version=*/2);
  return RefuseConfig(Resumed(WithSnapshots(), snapshot));
}

v1::KillSessionRequest Kill(const std::string& id, const std::string& why) {
  v1::KillSessionRequest request;
  request.set_id(id);
  request.set_reason(why);
  return request;
}

constexpr char kKill[] = "/ddsp.v1.Sessions/Kill";

}  // namespace

std::vector<ErrorCase> SessionErrors() {
  return {
      {.reason = "SESSION_SLOTS_EXHAUSTED",
       .code = StatusCode::UNAVAILABLE,
       .values = {"model", "slots"},
       .retry = absl::Seconds(1),
       .refuse =
           [](ErrorRig& rig) {
             rig.options.max_sessions = 1;
             rig.Serve();
             return RefuseConfig(FloatConfig(), rig.Play());
           }},
      {.reason = "SERVER_DRAINING",
       .code = StatusCode::UNAVAILABLE,
       .retry = absl::ZeroDuration(),
       .refuse =
           [](ErrorRig& rig) {
             rig.Serve();
             rig.server->BeginDrain();
             rig.closed = true;
             return RefuseConfig(FloatConfig());
           }},
      {.reason = "MEMORY_EXHAUSTED",
       .code = StatusCode::UNAVAILABLE,
       .values = {"budget", "bytes", "used"},
       .retry = absl::Seconds(1),
       .refuse =
           [](ErrorRig& rig) {
             rig.options.memory_budget_bytes = 10000;
             rig.closed = true;
             rig.Serve();
             return RefuseConfig(FloatConfig());
           }},
      {.reason = "MODEL_NOT_FOUND",
       .code = StatusCode::NOT_FOUND,
       .values = {"model"},
       .refuse = WhileServing(RefuseConfig(FloatConfig("kazoo")))},
      {.reason = "INVALID_CONFIG",
       .code = StatusCode::INVALID_ARGUMENT,
       .fields = {"model"},
       .refuse = WhileServing(RefuseConfig(FloatConfig("")))},
      {.reason = "FORMAT_UNSUPPORTED",
       .code = StatusCode::INVALID_ARGUMENT,
       .fields = {"input_format.sample_rate_hz"},
       .refuse =
           [](ErrorRig& rig) {
             rig.Serve();
             v1::SessionConfig config = FloatConfig();
             config.mutable_input_format()->set_sample_rate_hz(96000);
             config.mutable_output_format()->set_sample_rate_hz(48000);
             return RefuseConfig(config);
           }},
      {.reason = "SNAPSHOT_INVALID",
       .code = StatusCode::INVALID_ARGUMENT,
       .refuse = WhileServing(RefuseConfig(Resumed(WithSnapshots(), "nonsense")))},
      {.reason = "STATE_LOST", .code = StatusCode::DATA_LOSS, .values = {"model"}, .refuse = ResumeWhereItsVoiceIsNot},
      {.reason = "MESSAGE_MALFORMED",
       .code = StatusCode::INVALID_ARGUMENT,
       .refuse = WhileServing(Refused{.method = kStream, .message = "\x0a\x7f no such length"})},
      {.reason = "CONFIG_NOT_FIRST",
       .code = StatusCode::FAILED_PRECONDITION,
       .act = HavingSent({Request(FloatConfig())})},
      {.reason = "INVALID_CONTROL",
       .code = StatusCode::INVALID_ARGUMENT,
       .fields = {"parameters.pitch_shift_semitones"},
       .act = HavingSent({PitchRequest(0, 0, 1000)})},
      {.reason = "INPUT_MISMATCH",
       .code = StatusCode::INVALID_ARGUMENT,
       .act = HavingSent({FramesRequest(0, 0, {440}, 320)})},
      {.reason = "BLOCK_SEQUENCE_GAP",
       .code = StatusCode::OUT_OF_RANGE,
       .values = {"expected", "field", "got"},
       .act = HavingSent({AudioRequest(0, 0, Ramp(320)), AudioRequest(2, 640, Ramp(320))})},
      {.reason = "BLOCK_TOO_LARGE",
       .code = StatusCode::INVALID_ARGUMENT,
       .values = {"bytes", "limit"},
       .act = HavingSent({AudioRequest(0, 0, Ramp(16385))})},
      {.reason = "BLOCK_MALFORMED",
       .code = StatusCode::INVALID_ARGUMENT,
       .values = {"bytes"},
       .act = HavingSent({AudioRequest(0, 0, std::string(7, '\0'))})},
      {.reason = "AUDIO_NOT_FINITE",
       .code = StatusCode::INVALID_ARGUMENT,
       .values = {"sample"},
       .act = HavingSent({AudioRequest(0, 0, std::vector<float>{0, NAN})})},
      {.reason = "OPUS_PACKET_INVALID",
       .code = StatusCode::INVALID_ARGUMENT,
       .values = {"bytes"},
       .act = HavingSent({AudioRequest(0, 0, std::string("\xff\x3f"))}, Encoded(v1::OPUS))},
      {.reason = "CREDIT_EXCEEDED",
       .code = StatusCode::RESOURCE_EXHAUSTED,
       .values = {"credit", "samples"},
       .act = SendMoreThanCredit},
      {.reason = "CLIENT_TOO_SLOW",
       .code = StatusCode::RESOURCE_EXHAUSTED,
       .values = {"stalled_seconds"},
       .act = ReadNothing},
      {.reason = "SESSION_IDLE_TIMEOUT",
       .code = StatusCode::ABORTED,
       .values = {"idle_seconds", "resume_until"},
       .act = SayNothing},
      {.reason = "SERVER_OVERLOADED",
       .code = StatusCode::UNAVAILABLE,
       .retry = absl::Seconds(1),
       .act = PlayOnAFullDevice},
      {.reason = "SESSION_KILLED",
       .code = StatusCode::ABORTED,
       .values = {"operator_reason"},
       .act =
           [](ErrorRig& rig) {
             rig.Serve();
             const auto stub = rig.synthesis();
             LiveCall call(*stub);
             call.Send(Request(FloatConfig()));
             const std::string id = call.Read().value().started().session_id();
             EXPECT_EQ(rig.Ask(RefuseAdmin(kKill, Kill(id, "moving house"))).code, StatusCode::OK);
             return EndingOf(call);
           }},
      {.reason = "MODEL_NUMERIC_FAULT",
       .code = StatusCode::INTERNAL,
       .act = HavingSent({AudioRequest(0, 0, std::vector<float>(1000, kPoison))})},
      {.reason = "DEVICE_FAULT",
       .code = StatusCode::INTERNAL,
       .act = HavingSent({AudioRequest(0, 0, std::vector<float>(1000, kBroken))})},
      {.reason = "SESSION_NOT_FOUND",
       .code = StatusCode::NOT_FOUND,
       .values = {"session_id"},
       .refuse = WhileServing(RefuseAdmin(kKill, Kill("nobody", "")))},
      {.reason = "INVALID_SESSION_REQUEST",
       .code = StatusCode::INVALID_ARGUMENT,
       .fields = {"reason"},
       .refuse = WhileServing(RefuseAdmin(kKill, Kill("nobody", std::string(257, 'x'))))},
  };
}

}  // namespace ddsp::testing
