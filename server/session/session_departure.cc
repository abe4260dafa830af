// How a session is sent away: from a version of its voice that has gone out of service, and from a server that has
// become too slow for all that it has let in.
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

bool Session::IsLoad() const {
  MutexLock lock(&mu_);
  return machine_.plays() && !leaving_.has_value() && plan_.qos == QualityOfService::kRealtime;
}

void Session::SendAway(const absl::Status& error) {
  const absl::Time now = services_.clock->Now();
  {
    MutexLock lock(&mu_);
    if (!machine_.plays() || leaving_.has_value()) return;
    leaving_ = error;
    leave_by_ = now + (CanLeave() ? kLastWords : absl::ZeroDuration());
  }
  AskForSnapshot();
  CheckDeparture(now);
}

void Session::CheckDeparture(absl::Time now) {
  std::optional<absl::Status> error;
  {
    MutexLock lock(&mu_);
    if (now >= leave_by_) error = leaving_;
  }
  if (error.has_value()) Fail(*error, OutputPump::Backlog::kDeliver);
}

void Session::CheckVersion(absl::Time now) {
  const absl::Duration longest = services_.limits.version_drain_timeout;
  if (longest <= absl::ZeroDuration()) return;
  absl::Duration stay;
  bool tell = false;
  int64_t sample = 0;
  {
    MutexLock lock(&mu_);
    if (!machine_.plays() || !voice_->closed()) {
      retired_since_.reset();  // or it is in service again
      return;
    }
    tell = !retired_since_.has_value();
    if (tell) retired_since_ = now;
    stay = now - *retired_since_;
    sample = input_samples_;
  }
  if (tell) {
    output_.PushUrgent(MakeEvent(
        v1::SessionEvent::DRAINING, sample,
        absl::StrCat(voice_->id(), " goes out of service; the session may stay for ", absl::FormatDuration(longest))));
  }
  if (stay >= longest) SendAway(RetiredError(*voice_, stay));
}

}  // namespace ddsp::server
