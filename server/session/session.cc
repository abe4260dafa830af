#include "server/session/session.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/session/responses.h"

namespace ddsp::server {
namespace {

std::string NewSessionId() {
  std::random_device random;
  return absl::StrFormat("%08x%08x", random(), random());
}

// Messages kept for a client that pings before its session has started.
constexpr size_t kMostEarly = 16;

// Blocks between two entries of a traced session in its journal.
constexpr int64_t kBlocksPerEntry = 100;

// Labels of ddsp_sessions_ended_total.
std::string_view EndReason(const absl::Status& status) {
  if (status.ok()) return "client_close";
  if (absl::IsCancelled(status)) return "cancelled";
  const std::string reason = ReasonOf(status);
  if (reason == NameOf(Reason::kSessionIdleTimeout)) return "idle";
  if (reason == NameOf(Reason::kServerDraining) || reason == NameOf(Reason::kVersionRetired)) return "drained";
  if (reason == NameOf(Reason::kClientTooSlow)) return "too_slow";
  if (reason == NameOf(Reason::kSessionKilled)) return "killed";
  return "error";
}

bool CountsAsWork(const v1::StreamSessionRequest& request) {
  return request.request_case() != v1::StreamSessionRequest::kCredit;
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

// ---------------------------------------------------------------- the wire

void Session::OnRequest(const v1::StreamSessionRequest& request) {
  if (absl::Status status = Accept(request); !status.ok()) Fail(status, OutputPump::Backlog::kDeliver);
}

absl::Status Session::Accept(const v1::StreamSessionRequest& request) {
  SessionState state;
  {
    MutexLock lock(&mu_);
    if (machine_.over()) return absl::OkStatus();  // under way when the session ended
    state = machine_.state();
    if (CountsAsWork(request)) {
      last_request_ = services_.clock->Now();
      idle_warned_ = false;
    }
  }
  const bool is_config = request.has_config();
  if (is_config != (state == SessionState::kAwaitingConfig)) {
    return MakeError(Reason::kConfigNotFirst,
                     is_config ? "the config came twice" : "the first message is not a config");
  }
  switch (request.request_case()) {
    case v1::StreamSessionRequest::kConfig:
      TakeConfig(request.config());
      return absl::OkStatus();
    case v1::StreamSessionRequest::kAudio:
      return AcceptAudio(request.audio());
    case v1::StreamSessionRequest::kControl:
      return AcceptControl(request.control());
    case v1::StreamSessionRequest::kFlush:
      Post(FlushIn{request.flush().id()});
      return absl::OkStatus();
    case v1::StreamSessionRequest::kPing:
      SayAfterStarted(MakePong(request.ping()));
      return absl::OkStatus();
    case v1::StreamSessionRequest::kCredit:
      output_.Grant(ClampToInt64(request.credit().samples()));
      return absl::OkStatus();
    case v1::StreamSessionRequest::REQUEST_NOT_SET:
      break;
  }
  return absl::OkStatus();  // a kind of message that a later version may know
}

// With the turn, for it makes what a turn works with: whoever ends the session meanwhile leaves that alone.
void Session::TakeConfig(const v1::SessionConfig& config) {
  {
    MutexLock lock(&mu_);
    if (machine_.over() || !TryTakeTurn()) return;
  }
  if (const absl::Status status = Open(config); !status.ok()) {
    lease_.Release();  // whoever reads the error finds the slot free
    Fail(status, OutputPump::Backlog::kDeliver);
  }
  bool over = false;
  {
    MutexLock lock(&mu_);
    over = machine_.over();
    if (!over) {
      machine_.Transition(SessionState::kOpening);
      opened_ = true;
      config_time_ = last_request_;
      input_credit_.emplace(InputWindow(plan_.input_format, services_.limits));
    }
  }
  if (over) return RunTurn(Place::kWire);  // clears up
  // The device has the turn until ResetDone().
  services_.scheduler->Submit(ResetTicket{voice_->engine_index, lease_.slot(), plan_.settings, shared_from_this()});
}

absl::Status Session::Open(const v1::SessionConfig& config) {
  absl::StatusOr<SessionPlan> plan = PlanSession(config, services_.limits);
  if (!plan.ok()) {
    services_.metrics->SessionRejected("unknown", ReasonOf(plan.status()));
    return plan.status();
  }
  plan_ = *std::move(plan);
  if (services_.snapshots == nullptr) plan_.settings.resumable = false;
  if (!config.resume().empty()) RETURN_IF_ERROR(OpenSnapshot(config));
  if (resumed_ != nullptr) {
    ASSIGN_OR_RETURN(lease_, AdmitResumed());
  } else {
    ASSIGN_OR_RETURN(lease_, services_.host->Admit(plan_));
  }
  voice_ = &lease_.voice();
  ASSIGN_OR_RETURN(stream_, SessionStream::Create(plan_, voice_->format(plan_.input)));
  const StreamFormat& format = voice_->format(plan_.input);
  pace_.emplace(absl::Seconds(1) * format.hop_size / format.sample_rate);
  reader_.emplace(plan_, services_.limits);
  stream_->set_input_mark(reader_->mark());
  if (resumed_ != nullptr) RETURN_IF_ERROR(RestoreStream());
  if (plan_.settings.resumable) {
    config_ = std::make_unique<v1::SessionConfig>(config);
    config_->clear_resume();
  }
  output_.SetCredit(plan_.output_credit);
  return absl::OkStatus();
}

absl::Status Session::TakeCredit(int64_t samples) {
  MutexLock lock(&mu_);
  if (input_credit_->Take(samples)) return absl::OkStatus();
  const ErrorMetadata values = {{"samples", absl::StrCat(samples)}, {"credit", absl::StrCat(input_credit_->left())}};
  if (output_.full())
    return MakeError(Reason::kClientTooSlow, "output is not read, so no more input can be taken", values);
  return MakeError(Reason::kCreditExceeded,
                   absl::StrCat("a block of ", samples, " samples exceeds the credit of ", input_credit_->left()),
                   values);
}

absl::Status Session::CheckInputOpen() const {
  if (!input_over_) return absl::OkStatus();
  return MakeError(Reason::kBlockSequenceGap, "the input of the session that goes on here has ended already");
}

absl::Status Session::AcceptAudio(const v1::AudioBlock& block) {
  RETURN_IF_ERROR(CheckInputOpen());
  ASSIGN_OR_RETURN(AudioIn audio, reader_->ReadAudio(block, [this](int64_t samples) { return TakeCredit(samples); }));
  voice_->metrics->audio_seconds_in->Increment(static_cast<double>(audio.samples.size()) /
                                               plan_.input_format.sample_rate);
  Post(std::move(audio));
  return absl::OkStatus();
}

absl::Status Session::AcceptControl(const v1::ControlBlock& block) {
  RETURN_IF_ERROR(CheckInputOpen());
  ASSIGN_OR_RETURN(ControlIn control,
                   reader_->ReadControl(block, [this](int64_t samples) { return TakeCredit(samples); }));
  Post(std::move(control));
  return absl::OkStatus();
}

void Session::SayAfterStarted(v1::StreamSessionResponse message) {
  {
    MutexLock lock(&mu_);
    if (machine_.state() == SessionState::kOpening) {
      if (early_.size() < kMostEarly) early_.push_back(std::move(message));
      return;
    }
  }
  output_.PushUrgent(std::move(message));
}

void Session::OnHalfClose() {
  bool no_config = false;
  {
    MutexLock lock(&mu_);
    no_config = machine_.state() == SessionState::kAwaitingConfig;
  }
  if (no_config) {
    Fail(MakeError(Reason::kConfigNotFirst, "the stream ended before its config"), OutputPump::Backlog::kDrop);
  } else {
    Post(EndIn{});
  }
}

void Session::OnGone() {
  const absl::Status gone = absl::CancelledError("the client has gone");
  Fail(gone, OutputPump::Backlog::kDrop);
  output_.Abandon(gone);  // it may have been over, and wait for credit
}

void Session::Post(InputEvent event) {
  {
    MutexLock lock(&mu_);
    if (machine_.over()) return;
    inbox_.push_back(std::move(event));
    if (!TryTakeTurn()) return;
  }
  // Blocks often become due with the message that completes them. Making PCM of them costs less than a wake; Opus would
  // hold up the one thread of the wire.
  if (plan_.output_format.encoding == Encoding::kOpus) {
    services_.crew->Post([self = shared_from_this()] { self->RunTurn(Place::kCrew); });
  } else {
    RunTurn(Place::kWire);
  }
}

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
  output_.PushUrgent(MakeStarted({.session_id = id_,
                                  .plan = plan_,
                                  .voice = *voice_,
                                  .stream = *stream_,
                                  .input_codec_delay = reader_->codec_delay(),
                                  .limits = services_.limits,
                                  .resumed_at = resumed_ == nullptr ? nullptr : &resumed_->position()}));
  if (resumed_ != nullptr) voice_->metrics->sessions_resumed->Increment();
  resumed_.reset();
  absl::Duration setup;
  bool draining = false;
  std::vector<v1::StreamSessionResponse> early;
  {
    MutexLock lock(&mu_);
    if (machine_.over()) return;
    machine_.Transition(SessionState::kLive);
    snapshot_time_ = services_.clock->Now();
    setup = setup_ = snapshot_time_ - config_time_;
    started_ = true;
    early.swap(early_);
    draining = leaving_.has_value();
  }
  live_ = true;
  // What goes on in its tail takes nothing.
  if (stream_->finished()) EndInput();
  voice_->metrics->sessions_started->Increment();
  voice_->metrics->setup_seconds->Observe(absl::ToDoubleSeconds(setup));
  for (v1::StreamSessionResponse& message : early) output_.PushUrgent(std::move(message));
  if (draining) output_.PushUrgent(MakeDraining(stream_->input_samples()));
  if (services_.journal != nullptr) services_.journal->Started(Facts());
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
  if (!inbox_.empty()) input_time_ = last_request_;
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
  for (InputEvent& event : taken_) {
    input_ended |= std::holds_alternative<EndIn>(event);
    stream_->Push(std::move(event));
  }
  taken_.clear();
  if (input_ended) EndInput();
  const absl::Time begin = services_.clock->Now();
  stream_->Absorb();
  stream_->Emit(&emitted_);
  ReturnCredit();
  if (emitted_.empty()) return;
  voice_->metrics->block_encode_seconds->Observe(absl::ToDoubleSeconds(services_.clock->Now() - begin));
  for (OutputItem& item : emitted_) item.due = input_time_;
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
  const QualityOfService qos = pace_->Take(now) ? QualityOfService::kThroughput : plan_.qos;
  HopTicket ticket{
      .ready = {.engine = voice_->engine_index, .qos = qos, .since = now, .budget = plan_.max_block_latency},
      .request = stream_->NextHop(),
      .stream = shared_from_this()};
  ticket.request.slot = lease_.slot();
  services_.scheduler->Submit(std::move(ticket));
}

// ---------------------------------------------------------------- output and ends

void Session::Writing(const OutputItem& item) {
  if (!item.message.has_audio() && !item.message.has_features()) return;
  const absl::Time now = services_.clock->Now();
  const absl::Duration latency = now - item.due;
  ModelMetrics& metrics = *voice_->metrics;
  metrics.block_latency_seconds->Observe(absl::ToDoubleSeconds(latency));
  metrics.audio_seconds_out->Increment(static_cast<double>(item.samples) / plan_.output_format.sample_rate);
  if (latency > plan_.max_block_latency) metrics.block_deadline_missed->Increment();
  const absl::Duration gap = CountOutput(item, now, latency);
  if (origin_.span != nullptr && services_.journal != nullptr) {
    if (const SessionFacts facts = Facts(); facts.output_blocks % kBlocksPerEntry == 0)
      services_.journal->Playing(facts);
  }
  if (gap <= absl::ZeroDuration()) return;
  metrics.underruns->Increment();
  SayAfterStarted(
      MakeEvent(v1::SessionEvent::UNDERRUN, ClampToInt64(item.message.audio().start_sample()),
                absl::StrCat("output came ", absl::FormatDuration(gap), " after what had been sent was played")));
}

absl::Duration Session::CountOutput(const OutputItem& item, absl::Time now, absl::Duration latency) {
  MutexLock lock(&mu_);
  if (!std::exchange(first_output_seen_, true)) {
    voice_->metrics->first_output_seconds->Observe(absl::ToDoubleSeconds(now - config_time_));
  }
  const absl::Duration gap =
      item.samples == 0
          ? absl::ZeroDuration()
          : playback_.Deliver(absl::Seconds(1) * item.samples / plan_.output_format.sample_rate, now, latency);
  tally_.CountBlock(latency, latency > plan_.max_block_latency, gap > absl::ZeroDuration());
  return gap;
}

SessionFacts Session::Facts() const {
  MutexLock lock(&mu_);
  return FactsLocked();
}

SessionFacts Session::FactsLocked() const {
  const absl::Time now = services_.clock->Now();
  SessionFacts facts{.id = id_, .origin = origin_, .state = machine_.state(), .age = now - arrived_};
  facts.idle = now - last_request_;
  facts.input_samples = input_samples_;
  facts.output_samples = output_samples_;
  facts.started = started_;
  facts.setup = setup_;
  facts.output_blocks = tally_.blocks();
  facts.late_blocks = tally_.late();
  facts.underruns = tally_.underruns();
  facts.latency_p50 = tally_.Latency(0.5);
  facts.latency_p99 = tally_.Latency(0.99);
  if (!opened_) return facts;
  facts.model = voice_->id();
  facts.input_format = plan_.input_format;
  facts.output_format = plan_.output_format;
  facts.qos = plan_.qos;
  return facts;
}

void Session::RoomAgain() {
  {
    MutexLock lock(&mu_);
    if (!wants_room_) return;
    wants_room_ = false;
    if (!TryTakeTurn()) return;
  }
  RunTurn(Place::kWire);
}

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
    const bool played = machine_.state() == SessionState::kLive || machine_.state() == SessionState::kFinishing;
    if (played) reason = migrated_ ? "migrated" : EndReason(status);
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
    // Start() tells those that are on their way.
    if (machine_.state() != SessionState::kLive && machine_.state() != SessionState::kFinishing) return;
    sample = input_samples_;
  }
  output_.PushUrgent(MakeDraining(sample));
  AskForSnapshot();
}

}  // namespace ddsp::server
