// What the client of a session says.
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/errors/errors.h"
#include "server/session/responses.h"
#include "server/session/session.h"

namespace ddsp::server {
namespace {

// Messages kept for a client that pings before its session has started.
constexpr size_t kMostEarly = 16;

bool CountsAsWork(const v1::StreamSessionRequest& request) {
  return request.request_case() != v1::StreamSessionRequest::kCredit;
}

}  // namespace

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
    if (!started_) {
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
  const absl::Time at = services_.clock->Now();
  {
    MutexLock lock(&mu_);
    if (machine_.over()) return;
    inbox_.push_back({std::move(event), at});
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

}  // namespace ddsp::server
