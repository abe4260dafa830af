// Tells operators of sessions: a line when one begins, ends or is refused, and events in the spans of those that are
// traced. Thread-safe.
#pragma once

#include "server/logs/log.h"
#include "server/logs/rate_limit.h"
#include "server/session/session_journal.h"

namespace ddsp::server {

class SessionLog : public SessionJournal {
 public:
  // `log` may be null; `refusals` holds back what would be a flood. Both outlive this.
  SessionLog(Log* log, RateLimit& refusals) : log_(log), refusals_(refusals) {}

  void Started(const SessionFacts& facts) override;
  void Playing(const SessionFacts& facts) override;
  void Ended(const SessionFacts& facts, const absl::Status& status) override;

 private:
  Log* const log_;
  RateLimit& refusals_;
};

}  // namespace ddsp::server
