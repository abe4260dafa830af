// Sessions that stall, burst, come in crumbs, do not read, or do not go on.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>

#include "core/base/status_macros.h"
#include "load-tests/soak/outcome.h"
#include "load-tests/soak/performance.h"
#include "load-tests/soak/raw_session.h"
#include "load-tests/soak/scenario.h"

namespace ddsp::soak {
namespace {

absl::Status SendCrumbs(Visit& visit) {
  client::StreamOptions options = SomeOptions(visit);
  options.input.codec = client::Codec::kPcm16;
  return Perform(visit, {.options = options,
                         .seconds = 1000.0 / options.input.sample_rate,
                         .message_seconds = 1.0 / options.input.sample_rate,
                         .pace = Pace::kAtOnce});
}

absl::Status SendSeconds(Visit& visit) {
  return Perform(visit, {.options = SomeOptions(visit),
                         .seconds = static_cast<double>(visit.Between(2, 6)),
                         .message_seconds = 1,
                         .pace = visit.OneOf({Pace::kLive, Pace::kAtOnce})});
}

// Stops for longer than a warning takes, less long than patience lasts, and then sends all that it has not sent.
absl::Status StallAndBurst(Visit& visit) {
  RawSession session(visit.Connect());
  session.Begin(FloatConfig(visit.Voice()));
  for (int64_t rounds = visit.Between(1, 2); rounds > 0; --rounds) {
    for (int i = 0; i < 10; ++i) session.SendAudio(visit.Music(320));
    Visit::Sleep(4.5);
    for (int i = 0; i < 30; ++i) session.SendAudio(visit.Music(800));
    session.SendFlush(1);
    v1::StreamSessionResponse response;
    const int before = session.flushed();
    while (session.flushed() == before && session.Read(&response)) {
    }
  }
  session.HalfClose();
  RETURN_IF_ERROR(Expect(session.End(), {"OK"}));
  if (!session.warned_of_idleness()) return absl::InternalError("no warning came in a pause of 4.5 s");
  return ExpectCount("samples", session.sent_samples(), session.heard_samples());
}

// A reader that takes one block and no more.
absl::Status GrantNothing(Visit& visit) {
  v1::SessionConfig config = FloatConfig(visit.Voice());
  config.set_output_credit(320);
  RawSession session(visit.Connect());
  session.Begin(config);
  session.SendAudio(visit.Music(8000));
  return Expect(session.End(), {"CLIENT_TOO_SLOW"});
}

// What comes is not even taken from the network, whose window is the smallest there is; the client is not idle. At last
// the status may have to go with the call.
absl::Status NeverRead(Visit& visit) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  RawSession session(
      grpc::CreateCustomChannel(visit.place().server.target, grpc::InsecureChannelCredentials(), arguments));
  session.Begin(FloatConfig(visit.Voice(), 48000));
  for (int i = 0; i < 6; ++i) session.SendAudio(visit.Music(16000));
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < std::chrono::seconds(6) && session.SendPing()) Visit::Sleep(0.3);
  return Expect(session.End(), {"CLIENT_TOO_SLOW", "CANCELLED"});
}

absl::Status NeverEnd(Visit& visit) {
  RawSession session(visit.Connect());
  session.Begin(FloatConfig(visit.Voice()));
  for (int64_t left = visit.Between(0, 50); left > 0; --left) session.SendAudio(visit.Music(320));
  RETURN_IF_ERROR(Expect(session.End(), {"SESSION_IDLE_TIMEOUT"}));
  if (!session.warned_of_idleness()) return absl::InternalError("no warning came before the end");
  return absl::OkStatus();
}

absl::Status NeverConfigure(Visit& visit) {
  RawSession session(visit.Connect());
  return Expect(session.End(), {"SESSION_IDLE_TIMEOUT"});
}

}  // namespace

Scenarios SlowScenarios() {
  return {{"crumbs", 15, SendCrumbs},
          {"seconds", 20, SendSeconds},
          {"stall-and-burst", 20, StallAndBurst},
          {"no-credit", 8, GrantNothing},
          {"never-reads", 8, NeverRead},
          {"never-ends", 15, NeverEnd},
          {"never-configures", 4, NeverConfigure}};
}

}  // namespace ddsp::soak
