// Messages to the client, made of facts. Everything a session says is worded here or in session_stream.cc.
#pragma once

#include <cstdint>
#include <string>

#include "ddsp/v1/session.pb.h"
#include "server/registry/hosted_voice.h"
#include "server/session/session_config.h"
#include "server/session/session_stream.h"

namespace ddsp::server {

struct StartedFacts {
  const std::string& session_id;
  const SessionPlan& plan;
  const HostedVoice& voice;
  const SessionStream& stream;
  int input_codec_delay = 0;
  const SessionLimits& limits;
  const v1::SessionPosition* resumed_at = nullptr;
};

v1::StreamSessionResponse MakeStarted(const StartedFacts& facts);
enum class SnapshotKind { kOnTheWay, kLast };
v1::StreamSessionResponse MakeSnapshot(std::string sealed, const v1::SessionPosition& position, SnapshotKind kind);
v1::StreamSessionResponse MakePong(const v1::Ping& ping);
v1::StreamSessionResponse MakeCredit(int64_t samples);
v1::StreamSessionResponse MakeEvent(v1::SessionEvent::Kind kind, int64_t sample, std::string detail);
v1::StreamSessionResponse MakeDraining(int64_t sample);

// The nearest int64 to a count from the wire.
int64_t ClampToInt64(uint64_t count);

}  // namespace ddsp::server
