// Snapshots of a session, and how it goes on from one.
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "google/protobuf/util/message_differencer.h"
#include "server/errors/errors.h"
#include "server/session/session.h"

namespace ddsp::server {
namespace {

// Every field but `resume` is as it was. Errors: INVALID_CONFIG with all that are not.
absl::Status CheckUnchanged(const v1::SessionConfig& then, const v1::SessionConfig& now) {
  google::protobuf::util::MessageDifferencer differencer;
  std::vector<FieldViolation> violations;
  const auto* descriptor = v1::SessionConfig::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const auto* field = descriptor->field(i);
    if (field->number() == v1::SessionConfig::kResumeFieldNumber) continue;
    if (differencer.CompareWithFields(then, now, {field}, {field})) continue;
    violations.push_back({field->name(), "is not what it was in the session to resume"});
  }
  if (violations.empty()) return absl::OkStatus();
  return MakeFieldError(Reason::kInvalidConfig, absl::StrCat(violations[0].field, " ", violations[0].description),
                        violations);
}

std::string DigestOf(const HostedVoice& voice) { return voice.voice == nullptr ? "" : voice.voice->digest; }

absl::Status Lost(absl::string_view why, const std::string& voice) {
  return MakeError(Reason::kStateLost, absl::StrCat("the session cannot be gone on with: ", why), {{"model", voice}});
}

}  // namespace

absl::Status Session::OpenSnapshot(const v1::SessionConfig& config) {
  const auto open = [&]() -> absl::Status {
    if (services_.snapshots == nullptr) return MakeError(Reason::kSnapshotInvalid, "this server knows no snapshots");
    ASSIGN_OR_RETURN(v1::SessionState state, services_.snapshots->Open(config.resume()));
    RETURN_IF_ERROR(CheckUnchanged(state.config(), config));
    resumed_ = std::make_unique<v1::SessionState>(std::move(state));
    return absl::OkStatus();
  };
  const absl::Status status = open();
  if (!status.ok()) services_.metrics->SessionRejected("unknown", ReasonOf(status));
  // The name may mean another version by now.
  if (status.ok() && plan_.needs_voice()) plan_.model = resumed_->voice();
  return status;
}

absl::StatusOr<SlotLease> Session::AdmitResumed() {
  plan_.moved = true;
  absl::StatusOr<SlotLease> lease = services_.host->Admit(plan_);
  if (!lease.ok()) {
    const std::string reason = ReasonOf(lease.status());
    const bool gone = reason == NameOf(Reason::kModelNotFound) || reason == NameOf(Reason::kModelNotReady);
    return gone ? Lost("this server does not have its voice", resumed_->voice()) : lease.status();
  }
  const HostedVoice& voice = lease->voice();
  if (voice.id() == resumed_->voice() && DigestOf(voice) == resumed_->voice_digest()) return lease;
  return Lost("this server has another voice of the name", resumed_->voice());
}

absl::Status Session::RestoreStream() {
  RETURN_IF_ERROR(stream_->Restore(*resumed_));
  input_over_ = stream_->finished();
  const std::vector<std::string> packets(resumed_->packets().begin(), resumed_->packets().end());
  RETURN_IF_ERROR(reader_->Resume(stream_->input_mark(), packets, stream_->pending_changes()));
  // What is left over from there takes no credit.
  used_before_ = stream_->input_used() + stream_->backlog();
  return absl::OkStatus();
}

absl::Status Session::RestoreSlot() {
  const absl::Status status = voice_->engine()->Restore(lease_.slot(), plan_.settings, resumed_->engine());
  if (status.ok()) return status;
  return Lost(status.message(), resumed_->voice());
}

absl::Duration Session::snapshot_interval() const {
  // So that a client always keeps one that is young enough to be opened.
  return std::min(plan_.snapshot_interval, services_.snapshots->lifetime() / 2);
}

void Session::SnapshotIfDue() {
  const absl::Time now = services_.clock->Now();
  // A state never holds more input than a client may have under way.
  const bool can = live_ && config_ != nullptr && stream_->Quiet() &&
                   stream_->backlog() <= InputWindow(plan_.input_format, services_.limits);
  std::optional<absl::Status> leaving;
  {
    MutexLock lock(&mu_);
    const bool asked = std::exchange(snapshot_asked_, false);
    if (!can || !CanLeave()) return;
    if (!asked && !leaving_.has_value() && now - snapshot_time_ < snapshot_interval()) return;
    leaving = leaving_;
    snapshot_time_ = now;
  }
  const absl::Status taken = TakeSnapshot(leaving.has_value() ? SnapshotKind::kLast : SnapshotKind::kOnTheWay);
  if (!taken.ok()) {
    config_.reset();  // an engine that cannot: the session stays where it is
  } else if (leaving.has_value()) {
    {
      MutexLock lock(&mu_);
      migrated_ = true;
    }
    Fail(*leaving, OutputPump::Backlog::kDeliver);
  }
}

absl::Status Session::TakeSnapshot(SnapshotKind kind) {
  v1::SessionState state;
  ASSIGN_OR_RETURN(*state.mutable_engine(), voice_->engine()->Save(lease_.slot()));
  state.set_voice(voice_->id());
  state.set_voice_digest(DigestOf(*voice_));
  *state.mutable_config() = *config_;
  stream_->Save(&state);
  std::vector<OutputItem> items(1);
  items[0].message = MakeSnapshot(services_.snapshots->Seal(state), state.position(), kind);
  voice_->metrics->snapshots->Increment();
  voice_->metrics->snapshot_bytes->Observe(static_cast<double>(items[0].message.snapshot().data().size()));
  {
    // Before the client has it: whatever the session ends with says so.
    MutexLock lock(&mu_);
    resumable_until_ = services_.snapshots->ValidUntil();
  }
  output_.PushMedia(&items);
  return absl::OkStatus();
}

bool Session::CanLeave() const { return machine_.plays() && plan_.settings.resumable; }

void Session::AskForSnapshot() {
  {
    MutexLock lock(&mu_);
    if (!CanLeave()) return;
    snapshot_asked_ = true;
    if (!TryTakeTurn()) return;
  }
  services_.crew->Post([self = shared_from_this()] { self->RunTurn(Place::kCrew); });
}

void Session::RenewSnapshot(absl::Time now) {
  {
    MutexLock lock(&mu_);
    if (machine_.state() != SessionState::kLive || !plan_.settings.resumable) return;
    if (now - snapshot_time_ < services_.snapshots->lifetime() / 2) return;
  }
  AskForSnapshot();
}

}  // namespace ddsp::server
