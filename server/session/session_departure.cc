// How long a session stays on a version of its voice that has gone out of service.
#include "absl/strings/str_cat.h"
#include "server/errors/errors.h"
#include "server/session/responses.h"
#include "server/session/session.h"

namespace ddsp::server {
namespace {

// Between a session's order to leave and its end, if it cannot take the last snapshot: what is in its way (a flush, a
// reader who stands still) may pass.
constexpr absl::Duration kLastWords = absl::Seconds(5);

// UNAVAILABLE, for another replica may still have the version, and whoever begins anew gets the next one here.
absl::Status RetiredError(const HostedVoice& voice, absl::Duration stay) {
  return WithRetry(MakeError(Reason::kVersionRetired,
                             absl::StrCat(voice.id(), " went out of service ", absl::FormatDuration(stay), " ago"),
                             {{"model", voice.model()}, {"version", absl::StrCat(voice.version())}}),
                   absl::ZeroDuration());
}

}  // namespace

void Session::CheckVersion(absl::Time now) {
  const absl::Duration longest = services_.limits.version_drain_timeout;
  if (longest <= absl::ZeroDuration()) return;
  absl::Duration stay;
  bool tell = false, can_leave = false;
  int64_t sample = 0;
  {
    MutexLock lock(&mu_);
    const bool plays = machine_.state() == SessionState::kLive || machine_.state() == SessionState::kFinishing;
    if (!plays || !voice_->closed()) {
      retired_since_.reset();  // or it is in service again
      return;
    }
    tell = !retired_since_.has_value();
    if (tell) retired_since_ = now;
    stay = now - *retired_since_;
    can_leave = CanLeave();
    sample = input_samples_;
  }
  if (tell) {
    output_.PushUrgent(MakeEvent(
        v1::SessionEvent::DRAINING, sample,
        absl::StrCat(voice_->id(), " goes out of service; the session may stay for ", absl::FormatDuration(longest))));
  }
  if (stay < longest) return;
  if (can_leave && stay < longest + kLastWords) {
    Leave(RetiredError(*voice_, stay));
  } else {
    Fail(RetiredError(*voice_, stay), OutputPump::Backlog::kDeliver);
  }
}

}  // namespace ddsp::server
