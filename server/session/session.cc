#include "server/session/session.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/session/responses.h"

namespace ddsp::server {
namespace {

std::string NewSessionId() {
  std::random_device random;
  return absl::StrFormat("%08x%08x", random(), random());
}

// Labels of ddsp_sessions_ended_total.
std::string_view EndReason(const absl::Status& status) {
  if (status.ok()) return "client_close";
  if (absl::IsCancelled(status)) return "cancelled";
  const std::string reason = ReasonOf(status);
  if (reason == NameOf(Reason::kSessionIdleTimeout)) return "idle";
  if (reason == NameOf(Reason::kServerDraining) || reason == NameOf(Reason::kVersionRetired)) return "drained";
  if (reason == NameOf(Reason::kServerOverloaded)) return "shed";
  if (reason == NameOf(Reason::kClientTooSlow)) return "too_slow";
  if (reason == NameOf(Reason::kSessionKilled)) return "killed";
  return "error";
}

}  // namespace

Session::Session(const SessionServices& services, SessionOutlet* outlet, SessionOrigin origin)
    : services_(services),
      id_(NewSessionId()),
      origin_(std::move(origin)),
      arrived_(services.clock->Now()),
      output_(outlet, this, services.clock, services.limits.max_output_backlog_bytes),
      config_time_(services.clock->Now()),
      last_request_(config_time_) {}

// ---------------------------------------------------------------- the device

void Session::ResetDone(const absl::Status& status) {
  device_status_ = status;
  services_.crew->Post([self = shared_from_this()] { self->Begin(); });
}

void Session::Begin() {
  absl::Status status = absl::OkStatus();
  if (!device_status_.ok()) status = MakeError(Reason::kInvalidConfig, std::string(device_status_.message()));
  if (status.ok() && resumed_ != nullptr) status = RestoreSlot();
  if (status.ok()) {
    Start();
  } else {
    Fail(status, OutputPump::Backlog::kDrop);
  }
  RunTurn(Place::kCrew);
}

void Session::HopDone(const absl::Status& status, const HopTiming& timing) {
  device_status_ = status;
  voice_->metrics->block_queue_seconds->Observe(absl::ToDoubleSeconds(timing.queued));
  voice_->metrics->block_compute_seconds->Observe(absl::ToDoubleSeconds(timing.computed));
}

void Session::AfterHop() {
  if (device_status_.ok()) {
    stream_->CompleteHop();
  } else {
    const Reason reason = absl::IsUnavailable(device_status_) ? Reason::kDeviceFault : Reason::kModelNumericFault;
    Fail(MakeError(reason, std::string(device_status_.message())), OutputPump::Backlog::kDeliver);
  }
  RunTurn(Place::kCrew);
}

// ---------------------------------------------------------------- the turn

bool Session::TryTakeTurn() {
  if (turn_taken_) return false;
  turn_taken_ = true;
  return true;
}

void Session::Start() {
  absl::Duration setup;
  {
    MutexLock lock(&mu_);
    if (machine_.over()) return;
    machine_.Transition(SessionState::kLive);
    snapshot_time_ = services_.clock->Now();
    setup = setup_ = snapshot_time_ - config_time_;
  }
  live_ = true;
  SayStarted();
  if (resumed_ != nullptr) {
    stream_->Begin(services_.clock->Now());
    voice_->metrics->sessions_resumed->Increment();
  }
  resumed_.reset();
  // What goes on in its tail takes nothing.
  if (stream_->finished()) EndInput();
  voice_->metrics->sessions_started->Increment();
  voice_->metrics->setup_seconds->Observe(absl::ToDoubleSeconds(setup));
  if (services_.journal != nullptr) services_.journal->Started(Facts());
}

// Whoever reads it finds the session live; what others had to say meanwhile comes after it.
void Session::SayStarted() {
  output_.PushUrgent(MakeStarted({.session_id = id_,
                                  .plan = plan_,
                                  .voice = *voice_,
                                  .stream = *stream_,
                                  .input_codec_delay = reader_->codec_delay(),
                                  .limits = services_.limits,
                                  .resumed_at = resumed_ == nullptr ? nullptr : &resumed_->position()}));
  bool draining = false;
  std::vector<v1::StreamSessionResponse> early;
  {
    MutexLock lock(&mu_);
    started_ = true;
    early.swap(early_);
    draining = leaving_.has_value();
  }
  for (v1::StreamSessionResponse& message : early) output_.PushUrgent(std::move(message));
  if (draining) output_.PushUrgent(MakeDraining(stream_->input_samples()));
}

// The caller has the turn; when this returns, it has passed it on or given it up.
void Session::RunTurn(Place place) {
  for (;;) {
    const bool over = TakeInbox();
    if (over) {
      lease_.Release();
      taken_.clear();
    } else {
      WorkOff();
      if (place == Place::kCrew) SnapshotIfDue();
    }
    switch (DecideNext(place, over, live_ && stream_->HopReady())) {
      case Next::kSubmit:
        SubmitHop();
        return;
      case Next::kAgain:
        continue;
      case Next::kHandOver:
        services_.crew->Post([self = shared_from_this()] { self->RunTurn(Place::kCrew); });
        return;
      case Next::kRest:
        return;
    }
  }
}

bool Session::TakeInbox() {
  MutexLock lock(&mu_);
  taken_.swap(inbox_);
  return machine_.over();
}

// A session that goes on in its tail has been told already where it came from.
void Session::EndInput() {
  MutexLock lock(&mu_);
  if (machine_.state() == SessionState::kLive) machine_.Transition(SessionState::kFinishing);
}

void Session::WorkOff() {
  bool input_ended = false;
  for (Arrival& arrival : taken_) {
    input_ended |= std::holds_alternative<EndIn>(arrival.event);
    stream_->Push(std::move(arrival));
  }
  taken_.clear();
  if (input_ended) EndInput();
  const absl::Time begin = services_.clock->Now();
  stream_->Absorb();
  stream_->Emit(&emitted_);
  ReturnCredit();
  if (emitted_.empty()) return;
  voice_->metrics->block_encode_seconds->Observe(absl::ToDoubleSeconds(services_.clock->Now() - begin));
  output_.PushMedia(&emitted_);
  if (!stream_->ended()) return;
  lease_.Release();  // whoever reads that it has ended finds the slot free
  Finish(SessionState::kClosed, absl::OkStatus(), OutputPump::Backlog::kDeliver);
}

void Session::ReturnCredit() {
  int64_t grant = 0;
  {
    MutexLock lock(&mu_);
    input_samples_ = stream_->input_samples();
    output_samples_ = stream_->output_samples();
    if (machine_.state() != SessionState::kLive) return;
    grant = input_credit_->Used(stream_->input_used() - used_before_);
  }
  if (grant > 0) output_.PushUrgent(MakeCredit(grant));
}

Session::Next Session::DecideNext(Place place, bool was_over, bool hop_ready) {
  MutexLock lock(&mu_);
  if (machine_.over() && !was_over) return Next::kAgain;  // to clear up
  if (!machine_.over() && !inbox_.empty()) return Next::kAgain;
  if (!machine_.over() && snapshot_asked_) return place == Place::kCrew ? Next::kAgain : Next::kHandOver;
  if (!machine_.over() && hop_ready) {
    // Looked at under the lock: RoomAgain() comes after it, and finds the wish.
    if (!output_.full()) return Next::kSubmit;
    wants_room_ = true;
  }
  turn_taken_ = false;
  return Next::kRest;
}

void Session::SubmitHop() {
  const absl::Time now = services_.clock->Now();
  const AudioPace::Hop hop = pace_->Take(now, stream_->HopArrival());
  HopTicket ticket{.ready = {.engine = voice_->engine_index,
                             .qos = hop.ahead ? QualityOfService::kThroughput : plan_.qos,
                             .since = now,
                             .budget = plan_.max_block_latency,
                             .lag = hop.lag},
                   .request = stream_->NextHop(),
                   .stream = shared_from_this()};
  ticket.request.slot = lease_.slot();
  services_.scheduler->Submit(std::move(ticket));
}

// ---------------------------------------------------------------- ends

void Session::Fail(const absl::Status& error, OutputPump::Backlog backlog) {
  ErrorMetadata where;
  {
    MutexLock lock(&mu_);
    where = {{"input_samples", absl::StrCat(input_samples_)}, {"output_samples", absl::StrCat(output_samples_)}};
    if (machine_.state() != SessionState::kAwaitingConfig && machine_.state() != SessionState::kOpening) {
      where["session_id"] = id_;
    }
  }
  const bool slow = ReasonOf(error) == NameOf(Reason::kClientTooSlow);
  if (Finish(SessionState::kFailed, WithMetadata(error, where), slow ? OutputPump::Backlog::kDrop : backlog)) {
    RunTurn(Place::kWire);
  }
}

bool Session::Finish(SessionState final_state, const absl::Status& status, OutputPump::Backlog backlog) {
  std::string_view reason;
  bool got_turn = false;
  {
    MutexLock lock(&mu_);
    if (machine_.over()) return false;
    if (machine_.plays()) reason = migrated_ ? "migrated" : EndReason(status);
    machine_.Transition(final_state);
    got_turn = TryTakeTurn();
  }
  RecordEnd(status, reason);
  if (got_turn) lease_.Release();
  output_.Close(status, backlog);
  return got_turn;
}

void Session::RecordEnd(const absl::Status& status, std::string_view reason) {
  if (!reason.empty()) services_.metrics->SessionEnded(voice_->model(), reason);
  if (services_.journal == nullptr) return;
  SessionFacts facts = Facts();
  facts.end = reason;
  services_.journal->Ended(facts, status);
}

void Session::NotifyDraining() {
  int64_t sample = 0;
  {
    MutexLock lock(&mu_);
    leaving_ =
        WithRetry(MakeError(Reason::kServerDraining, "this server goes; the session goes on from its last snapshot"),
                  absl::ZeroDuration());
    // SayStarted() tells those that are on their way.
    if (!started_ || machine_.over()) return;
    sample = input_samples_;
  }
  output_.PushUrgent(MakeDraining(sample));
  AskForSnapshot();
}

}  // namespace ddsp::server
