// When a session has waited long enough.
#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"
#include "server/session/responses.h"
#include "server/session/session.h"

namespace ddsp::server {
namespace {

absl::Status IdleError(absl::Duration idle, std::optional<absl::Time> resumable_until) {
  const std::string seconds = absl::StrCat(absl::ToInt64Seconds(idle));
  ErrorMetadata values = {{"idle_seconds", seconds}};
  if (resumable_until.has_value()) {
    values["resume_until"] = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", *resumable_until, absl::UTCTimeZone());
  }
  return MakeError(Reason::kSessionIdleTimeout, absl::StrCat("nothing came for ", seconds, " s"), values);
}

absl::Status UnreadError(absl::Duration stalled) {
  const std::string seconds = absl::StrCat(absl::ToInt64Seconds(stalled));
  return MakeError(Reason::kClientTooSlow, absl::StrCat("output was not read for ", seconds, " s"),
                   {{"stalled_seconds", seconds}});
}

}  // namespace

void Session::CheckTimeouts(absl::Time now) {
  const SessionLimits& limits = services_.limits;
  const std::optional<absl::Time> stalled = output_.stalled_since();
  SessionState state;
  absl::Duration idle;
  bool warn = false;
  int64_t sample = 0;
  std::optional<absl::Time> resumable_until;
  {
    MutexLock lock(&mu_);
    resumable_until = resumable_until_;
    state = machine_.state();
    idle = now - last_request_;
    warn = state == SessionState::kLive && idle >= limits.idle_timeout / 2 && !idle_warned_;
    idle_warned_ |= warn;
    sample = input_samples_;
  }
  if (stalled.has_value() && now - *stalled >= limits.output_stall_timeout) {
    const absl::Status unread = UnreadError(now - *stalled);
    Fail(unread, OutputPump::Backlog::kDrop);
    output_.Abandon(unread);
    output_.GiveUp();
  } else if (state == SessionState::kAwaitingConfig && idle >= limits.config_timeout) {
    Fail(IdleError(idle, resumable_until), OutputPump::Backlog::kDrop);
  } else if (state == SessionState::kLive && idle >= limits.idle_timeout) {
    Fail(IdleError(idle, resumable_until), OutputPump::Backlog::kDeliver);
  } else if (state == SessionState::kLive) {
    RenewSnapshot(now);
  }
  CheckVersion(now);
  CheckDeparture(now);
  if (warn) {
    SayAfterStarted(
        MakeEvent(v1::SessionEvent::IDLE_WARNING, sample, absl::StrCat("idle for ", absl::FormatDuration(idle))));
  }
}

}  // namespace ddsp::server
