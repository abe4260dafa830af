// What is known of a session from outside, and who wants to hear of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/session/session_config.h"
#include "server/session/session_machine.h"

namespace ddsp::server {

class Span;  // server/tracing

// Where a session comes from.
struct SessionOrigin {
  std::string transport = "grpc";
  std::string peer, request_id;
  std::shared_ptr<Span> span;  // null: not traced
};

struct SessionFacts {
  std::string id;
  SessionOrigin origin;
  SessionState state = SessionState::kAwaitingConfig;
  // "violin/1"; empty before it was admitted.
  std::string model;
  bool started = false;
  absl::Duration age, idle;
  // What was asked for; means nothing before there was a config.
  WireFormat input_format, output_format;
  QualityOfService qos = QualityOfService::kRealtime;
  int64_t input_samples = 0, output_samples = 0;
  int64_t output_blocks = 0, late_blocks = 0, underruns = 0;
  absl::Duration setup;                     // from the config to started
  absl::Duration latency_p50, latency_p99;  // of the last blocks
  // How a session that played has ended: the label of ddsp_sessions_ended_total, a constant. Empty before, and where it
  // never played.
  std::string_view end;
};

// Told of the life of sessions, by any thread, audio's too: it must not wait for anything.
class SessionJournal {
 public:
  virtual ~SessionJournal() = default;
  virtual void Started(const SessionFacts& facts) = 0;
  // Now and then, of traced sessions alone.
  virtual void Playing(const SessionFacts& facts) = 0;
  // Once for each session, one that never started too.
  virtual void Ended(const SessionFacts& facts, const absl::Status& status) = 0;
};

}  // namespace ddsp::server
