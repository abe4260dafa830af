// Sessions that go on from a snapshot, and snapshots that are none.
#include <chrono>

#include "core/base/status_macros.h"
#include "load-tests/soak/outcome.h"
#include "load-tests/soak/raw_session.h"
#include "load-tests/soak/scenario.h"

namespace ddsp::soak {
namespace {

v1::SessionConfig ResumableConfig(Visit& visit) {
  v1::SessionConfig config = FloatConfig(visit.Voice(), visit.OneOf({16000, 16000, 48000}));
  config.mutable_snapshot_interval()->set_nanos(100'000'000);
  return config;
}

// Plays until a snapshot has come, and breaks off.
absl::StatusOr<v1::SessionSnapshot> TakeSnapshot(Visit& visit, const v1::SessionConfig& config) {
  RawSession session(visit.Connect());
  if (!session.Begin(config)) return session.End();
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (session.snapshot().data().empty()) {
    if (std::chrono::steady_clock::now() > give_up) return absl::DeadlineExceededError("no snapshot came for 20 s");
    Visit::Sleep(0.02);
    session.SendAudio(visit.Music(config.input_format().sample_rate_hz() / 50));
    session.SendFlush(1);
    v1::StreamSessionResponse response;
    const int before = session.flushed();
    while (session.flushed() == before) {
      if (!session.Read(&response)) return session.End();
    }
  }
  return session.snapshot();
}

absl::Status GoOn(Visit& visit) {
  v1::SessionConfig config = ResumableConfig(visit);
  for (int64_t moves = visit.Between(1, 3); moves > 0; --moves) {
    ASSIGN_OR_RETURN(const v1::SessionSnapshot snapshot, TakeSnapshot(visit, config));
    config.set_resume(snapshot.data());
    RawSession session(visit.Connect());
    if (!session.Begin(config)) return session.End();
    if (!session.started().has_resumed_at()) return absl::InternalError("a resumed session does not say where");
    session.ContinueAt(session.started().resumed_at());
    for (int64_t left = visit.Between(1, 20); left > 0; --left) session.SendAudio(visit.Music(320));
    session.HalfClose();
    RETURN_IF_ERROR(Expect(session.End(), {"OK"}));
    RETURN_IF_ERROR(ExpectCount("samples since the start", session.sent_samples(), session.heard_samples()));
    config.clear_resume();
  }
  return absl::OkStatus();
}

absl::Status ForgeASnapshot(Visit& visit) {
  v1::SessionConfig config = ResumableConfig(visit);
  ASSIGN_OR_RETURN(const v1::SessionSnapshot snapshot, TakeSnapshot(visit, config));
  std::string forged = snapshot.data();
  switch (visit.Between(0, 2)) {
    case 0:
      forged[visit.Between(0, static_cast<int64_t>(forged.size()) - 1)] ^= static_cast<char>(visit.Between(1, 255));
      break;
    case 1:
      forged.resize(visit.Between(1, static_cast<int64_t>(forged.size()) - 1));
      break;
    default:
      forged += visit.Bytes(visit.Between(1, 100));
  }
  config.set_resume(forged);
  RawSession session(visit.Connect());
  session.SendConfig(config);
  return Expect(session.End(), {"SNAPSHOT_INVALID"});
}

absl::Status GoOnAsAnother(Visit& visit) {
  v1::SessionConfig config = ResumableConfig(visit);
  ASSIGN_OR_RETURN(const v1::SessionSnapshot snapshot, TakeSnapshot(visit, config));
  config.set_resume(snapshot.data());
  config.set_seed(config.seed() + 1);
  RawSession session(visit.Connect());
  session.SendConfig(config);
  return Expect(session.End(), {"INVALID_CONFIG"});
}

}  // namespace

Scenarios MovingScenarios() {
  return {{"goes-on", 20, GoOn}, {"forges-a-snapshot", 8, ForgeASnapshot}, {"goes-on-as-another", 4, GoOnAsAnother}};
}

}  // namespace ddsp::soak
